"""In the planted world it is known what stands where: presence must find exactly that, at every unit."""

from __future__ import annotations

import pytest

from data_builders.corpora.build import build
from data_builders.corpora.built import open_built
from data_builders.factset import FactSet
from data_builders.planted.world import read_articles, read_presence, write_world
from data_builders.progress import Quiet
from data_builders.sources import open_source
from probe.tracing.matching import Matching
from probe.tracing.precision import Threshold, precision
from probe.tracing.presences import Asking, carry_out
from probe.tracing.unit import Unit

LANGS = ("en", "ja", "af", "fr")
UNITS = tuple(Unit.parse(text) for text in ("sentence", "paragraph", "abstract", "article"))


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The world in four languages and its presence at every unit."""
    folder = tmp_path_factory.mktemp("planted")
    write_world(folder / "world", open_source("atlas", None), languages=LANGS)
    build(f"world:{folder / 'world'}", None, folder / "corpus", Quiet())
    data = FactSet.parse("atlas").open(LANGS)
    asking = Asking(UNITS, Matching())
    return folder / "world", carry_out(data, open_built(folder / "corpus"), asking, folder / "presence", Quiet())


def standing(world, lang, unit):
    """The names that each unit mentions, as the world's own marks say."""
    for article in read_articles(world, lang):
        paragraphs = [
            [{s.text[a:b] for _, _, a, b in s.mentions} for s in paragraph] for paragraph in article.paragraphs
        ]
        if unit == "sentence":
            yield from (names for paragraph in paragraphs for names in paragraph)
        else:
            whole = [set().union(*paragraph) for paragraph in paragraphs]
            yield from whole if unit == "paragraph" else [set().union(*whole)]  # without headings all is abstract


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_presence_is_exact(planted, lang, unit):
    """Every unit that mentions both is counted and no other, decoys included."""
    world, made = planted
    units = list(standing(world, lang, unit.kind))
    holding = {}
    for i, names in enumerate(units):
        for name in names:
            holding.setdefault(name, set()).add(i)
    for row in made.table(lang, unit).to_pylist():
        own, other = holding.get(row["subject"], set()), holding.get(row["object"], set())
        if row["subject"] != row["object"]:
            assert row["units"] == len(own & other), row
        assert (row["subject_units"], row["object_units"]) == (len(own), len(other)), row


@pytest.mark.parametrize("lang", LANGS)
def test_sentences_find_what_is_stated(planted, lang):
    """Precision and recall are 1 against the world's own matrix."""
    world, made = planted
    rows = made.table(lang, Unit("sentence")).to_pylist()
    truth = {row["fact"]: row for row in read_presence(world).to_pylist() if row["lang"] == lang}
    assert {row["fact"] for row in rows} == truth.keys()
    assert all(row["units"] == truth[row["fact"]]["sentences"] for row in rows)
    assert {row["fact"] for row in rows if row["units"]} == {key for key, row in truth.items() if row["sentences"]}


def test_articles_hold_decoys_that_sentences_do_not(planted):
    _, made = planted
    found = {unit: precision(made.table("af", unit), made.shuffled("af", unit), Threshold()) for unit in UNITS}
    assert found[Unit("sentence")].shuffled_present == 0
    assert found[Unit("article")].present > found[Unit("sentence")].present
    assert found[Unit("article")].shuffled_present > 0
