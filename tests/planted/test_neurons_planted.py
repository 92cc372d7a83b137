"""The demo model's neurons: what its languages share beyond what any two facts share, and what silencing shows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from data_builders.factset import FactSet
from fine_tuning.models import load_masked, quiet_libraries
from probe.tracing.neurons.asked import questions
from probe.tracing.neurons.effects import Silencing, effects, sizes
from probe.tracing.neurons.find import NEURONS, find
from probe.tracing.neurons.overlap import overlaps, pairs
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking

LANGS = ("en", "it", "ja")


@pytest.fixture(scope="module")
def demo():
    """The model's reader and, by method, the first neurons of the same facts in three languages."""
    quiet_libraries()
    loaded = load_masked("demo")
    data = FactSet.parse(f"atlas(langs={';'.join(LANGS)},parallel,sample=12)").open()
    asked = {lang: list(questions(data, loaded, lang)) for lang in LANGS}
    reader = Reader(loaded)

    def tops(method: str) -> pa.Table:
        parts = [part for lang in LANGS for part in find(iter(asked[lang]), reader, lang, Seeking(method))]
        return pa.Table.from_batches(parts, NEURONS)

    methods = ("probeless", "activation_x_gradient")
    return SimpleNamespace(reader=reader, asked=asked, tops={method: tops(method) for method in methods})


def by_pair(table: pa.Table) -> dict:
    return {(pair.lang, pair.other): pair for pair in pairs(table)}


@pytest.mark.parametrize("method", ["probeless", "activation_x_gradient"])
def test_languages_of_one_script_share_more_than_their_null(demo, method):
    found = by_pair(overlaps(demo.tops[method]))
    assert found["en", "it"].excess.low > 0.02
    assert found["en", "it"].excess.value > 3 * found["en", "ja"].excess.value
    assert found["en", "ja"].excess.high < 0.03


def test_most_of_the_published_figure_is_the_null(demo):
    """Under PROBELESS any two facts of a relation share nearly as many neurons as a fact with itself."""
    found = by_pair(overlaps(demo.tops["probeless"]))
    for pair in found.values():
        assert pair.null.value > 0.7 * pair.overlap.value


@pytest.mark.parametrize("method", ["probeless", "activation_x_gradient"])
def test_facts_that_change_places(demo, method):
    """Null control: each relation's facts shuffled in one language, what is over the null is about 0."""
    rows, draw = demo.tops[method].to_pylist(), np.random.default_rng(0)
    for relation in {row["relation"] for row in rows}:
        own = [i for i, row in enumerate(rows) if row["relation"] == relation and row["lang"] == "it"]
        lists = [rows[i]["neurons"] for i in draw.permutation(own)]
        for i, neurons in zip(own, lists, strict=True):
            rows[i] = rows[i] | {"neurons": neurons}
    table = overlaps(pa.Table.from_pylist(rows, NEURONS))
    for other, pair in by_pair(table).items():
        if "it" in other:
            assert abs(pair.excess.value) < 0.012
    mixed = [row["p"] for row in table.to_pylist() if "it" in (row["lang"], row["other"])]
    assert np.mean(np.array(mixed) <= 0.1) < 0.2


@pytest.fixture(scope="module")
def silenced(demo):
    questions_ = {lang: iter(asked) for lang, asked in demo.asked.items()}
    table = effects(demo.tops["activation_x_gradient"], questions_, demo.reader, Silencing(controls=3))
    return {(size.lang, size.other): size for size in sizes(table)}


@pytest.mark.parametrize("lang", LANGS)
def test_a_fact_hangs_on_its_own_neurons(silenced, lang):
    """In its own language: more than on random ones of the same layers, and more than other facts do."""
    own = silenced[lang, lang]
    assert own.effect.low > 1
    assert own.specific.low > 1
    assert abs(own.random.value) < 0.2


def test_neurons_carry_facts_between_languages_of_one_script(silenced):
    for pair in (("en", "it"), ("it", "en")):
        assert silenced[pair].effect.low > 0.1
        assert silenced[pair].specific.low > 0.05


def test_and_not_to_japanese(silenced):
    for pair in (("en", "ja"), ("ja", "en"), ("it", "ja"), ("ja", "it")):
        assert silenced[pair].effect.value < 0.2
        assert silenced[pair].specific.value < 0.1
