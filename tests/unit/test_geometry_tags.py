"""Parts of speech of tokens, by a spaCy pipeline that is made and installed on the spot."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import spacy
from geometry_fixtures import fitted, tiny

from data_builders.errors import FactrootsError
from probe.geometry.fits_report import notes
from probe.geometry.tags import load_tagger, pipeline, tags
from probe.geometry.tally import UPOS

NAME = "it_core_made"
WORDS = {"roma": "PROPN", "is": "AUX", "la": "DET", "capital": "NOUN", "the": "DET", ".": "PUNCT"}


@pytest.fixture
def installed(tmp_path, monkeypatch) -> str:
    """A package as `spacy package` lays it out, whose attribute ruler knows a few words."""
    made = spacy.blank("it")
    made.add_pipe("attribute_ruler").add_patterns(
        [{"patterns": [[{"LOWER": word}]], "attrs": {"POS": tag}} for word, tag in WORDS.items()]
    )
    package = tmp_path / "site" / NAME
    package.mkdir(parents=True)
    made.meta |= {"lang": "it", "name": "core_made", "version": "1.2.3"}
    made.to_disk(package / f"{NAME}-1.2.3")
    meta = json.loads((package / f"{NAME}-1.2.3" / "meta.json").read_text())
    (package / "meta.json").write_text(json.dumps(meta | {"name": "core_made", "version": "1.2.3"}))
    (package / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n\n\n"
        "def load(**overrides):\n    return load_model_from_init_py(__file__, **overrides)\n"
    )
    about = tmp_path / "site" / f"{NAME}-1.2.3.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.2.3\n")
    # spaCy reads entry points once, when it is imported
    monkeypatch.setattr(spacy.util, "get_installed_models", lambda: [NAME])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    importlib.invalidate_caches()
    yield f"{NAME} 1.2.3"
    sys.modules.pop(NAME, None)


def test_found_by_the_languages_code(installed):
    assert pipeline("it") == pipeline("ita") == pipeline("it_IT") == pipeline("ita-Latn") == installed
    assert pipeline("de") is None and pipeline("und") is None


def test_none_is_installed():
    assert pipeline("it") is None


def test_tokens_have_the_tag_of_the_word_they_lie_in(installed):
    """By hand: the pieces of each word, then what is of no word or of no part of speech."""
    tokenizer = tiny("bert").tokenizer
    lines = ("Roma is la capital .", "Parma is")
    found = tags([lines], tokenizer, 14, load_tagger(installed))
    pieces = [tokenizer.tokenize(line) for line in lines]
    assert pieces == [["Roma", "is", "la", "capital", "."], ["Par", "##m", "##a", "is"]]
    of = {tag: UPOS.index(tag) for tag in WORDS.values()}
    first = [of["PROPN"], of["AUX"], of["DET"], of["NOUN"], of["PUNCT"]]
    assert found.tolist() == [[-1, *first, -1, -1, -1, -1, of["AUX"], -1]]


@pytest.mark.parametrize("kind", ["xlm-roberta", "gpt2"])
def test_whatever_a_tokenizer_does_with_spaces(kind, installed):
    """Every token that has a tag is a part of a word which has it, and words that are known have tokens with it."""
    tokenizer, line = tiny(kind).tokenizer, "Roma is the la capital"
    own = tokenizer(line, add_special_tokens=False, return_offsets_mapping=True)
    offset = len(tokenizer(line)["input_ids"]) > len(own["input_ids"])
    found = tags([(line,)], tokenizer, 60, load_tagger(installed))[0][offset:]
    seen = {}
    for (start, end), tag in zip(own["offset_mapping"], found, strict=False):
        text = line[start:end].strip()
        if tag >= 0:
            word = next(word for word in line.split() if text in word and WORDS[word.lower()] == UPOS[tag])
            seen[word] = seen.get(word, "") + text
    assert seen == {word: word for word in line.split()}


def test_a_token_over_the_end_of_a_word_has_none(installed):
    """The byte-level tokenizer's merges know of no words: here they never cross one, so a made-up mapping does."""

    class Crossing:
        sep_token_id = eos_token_id = None

        def __call__(self, texts, add_special_tokens=True, **_):
            if isinstance(texts, str):
                return {"input_ids": [1]}
            return {"offset_mapping": [[(0, 4), (3, 7), (4, 7), (7, 8), (8, 99)] for _ in texts]}

    found = tags([("Roma is la",)], Crossing(), 9, load_tagger(installed))
    assert found.tolist() == [[UPOS.index("PROPN"), -1, UPOS.index("AUX"), -1, -1]]


def test_fits_sum_by_part_of_speech(installed, tmp_path):
    for lang in ("it", "ja"):
        own = [f"Roma is la capital . the {a}{b} is" for a in "abcdei" for b in "lmnorstuv"]
        (tmp_path / f"{lang}.txt").write_text("\n".join(own))
    one = tiny("bert")
    fits = fitted(one, tmp_path, tmp_path / "fits", number=6)
    assert [own.tagger for own in fits.about.languages.values()] == [installed, None]
    held = fits.classes("pos", 1)  # of Italian alone
    rows = fits.sequences("it").fit
    expected = {tag: int((rows == one.tokenizer.convert_tokens_to_ids(word)).sum()) for word, tag in
                (("Roma", "PROPN"), ("capital", "NOUN"), (".", "PUNCT"))}  # fmt: skip
    assert {tag: held.counts[UPOS.index(tag)] for tag in expected} == expected and held.counts[UPOS.index("X")] == 0
    assert held.total.n == held.counts.sum() < fits.moments("it", 1).n
    assert np.isfinite(held.means[UPOS.index("NOUN")]).all()
    with pytest.raises(FactrootsError, match="no parts of speech"):
        fits.classes("pos", 1, ["ja"])
    said = notes(fits.about, [{"layer": 1, "n": 144, "top": 0.2}], 6)
    assert f"parts of speech: it by {installed}" in said
    assert "no parts of speech, for want of a spaCy pipeline with a tagger: ja" in said


def test_a_pipeline_that_does_not_load(installed, tmp_path):
    (config,) = Path(tmp_path).glob("site/*/*/config.cfg")
    config.write_text("[nlp]\n")
    with pytest.raises(FactrootsError, match=f"the spaCy pipeline {installed} cannot be loaded: .*; mend or uninstall"):
        load_tagger(installed)
