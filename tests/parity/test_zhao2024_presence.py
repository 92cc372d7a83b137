"""Windows of word-pieces against a rewriting of Zhao et al.'s matching: chunks, then sets of chunks, then what meets.

Their pipeline (src/wikidata/evaluate_tokenized_articles.py) cuts an article's word-pieces into chunks of 512, greps
each label's word-pieces in them, and calls a fact present where subject and object have a chunk in common.
"""

from __future__ import annotations

import pytest

from data_builders.corpora.build import build
from data_builders.corpora.built import open_built
from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.planted.world import read_articles, write_world
from data_builders.progress import Quiet
from data_builders.sources import open_source
from fine_tuning.models import load_tokenizer
from probe.tracing.matching import Matching
from probe.tracing.presences import Asking, carry_out
from probe.tracing.unit import Unit

LANGS = ("af", "ja")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zhao")
    write_world(folder / "world", open_source("atlas", None), languages=LANGS)
    build(f"world:{folder / 'world'}", None, folder / "corpus", Quiet())
    return folder


def chunks(world, lang, tokenizer, size):
    """The word-pieces of every chunk of every article, as text; a sentence's end stands in for a border of none."""
    for article in read_articles(world, lang):
        pieces = []
        for sentence in (s for paragraph in article.paragraphs for s in paragraph):
            own = tokenizer.tokenize(sentence.text)
            pieces += [f"{piece}|" if i + 1 == len(own) else piece for i, piece in enumerate(own)]
        for start in range(0, len(pieces), size):
            yield " " + " ".join(pieces[start : start + size]).replace("| ", " | ").replace("|", " | ") + " "


@pytest.mark.parametrize("size", [16, 512])
@pytest.mark.parametrize("lang", LANGS)
def test_chunks_have_both(world, lang, size):
    tokenizer = load_tokenizer("demo")
    unit = Unit.parse(f"window({size},pieces=demo)")
    data = FactSet.parse("atlas(relations=P36;P30;P38)").open((lang,))
    asking = Asking((unit,), Matching(overlap="all"))
    made = carry_out(data, open_built(world / "corpus"), asking, world / f"{lang}{size}", Quiet(), tokenizer)
    text = list(chunks(world / "world", lang, tokenizer, size))
    known: dict[str, set[int]] = {}

    def holding(label: str) -> set[int]:
        if label not in known:
            spelled = " " + " ".join(tokenizer.tokenize(label)) + " "
            known[label] = {i for i, chunk in enumerate(text) if spelled in chunk}
        return known[label]

    rows = made.table(lang, unit).to_pylist()
    assert made.totals(lang)["units"][str(unit)] == len(text)
    for row in rows:
        one, other = holding(row["subject"]), holding(row["object"])
        assert (row["subject_units"], row["object_units"]) == (len(one), len(other)), row
        if row["subject"] != row["object"]:
            assert row["units"] == len(one & other), row
    assert sum(row["units"] > 0 for row in rows) > 50


def test_another_tokenizer_is_another_presence(world):
    from probe_fixtures import wordpiece

    unit = Unit.parse("window(16,pieces=demo)")
    data = FactSet.parse("atlas(relations=P36)").open(("af",))
    asking = Asking((unit,), Matching())
    corpus = open_built(world / "corpus")
    carry_out(data, corpus, asking, world / "one", Quiet(), load_tokenizer("demo"))
    with pytest.raises(FactrootsError, match="its tokenizer differ"):
        carry_out(data, corpus, asking, world / "one", Quiet(), wordpiece())
