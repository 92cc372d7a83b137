"""The demo model's neurons: what its languages share beyond what any two facts share, and what silencing shows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from data_builders.factset import FactSet
from fine_tuning.models import load_masked, quiet_libraries
from probe.estimates import Part, ratios
from probe.tracing.neurons.asked import questions
from probe.tracing.neurons.effects import effects
from probe.tracing.neurons.find import NEURONS, find
from probe.tracing.neurons.overlap import overlaps, pairs
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.neurons.silencing import Silencing

LANGS = ("en", "it", "ja")
RELATIONS = ("P1376", "P17", "P282", "P30", "P36", "P361", "P37", "P38")


@pytest.fixture(scope="module")
def demo():
    """The model's reader and, by method, the first neurons of the same facts in three languages."""
    quiet_libraries()
    loaded = load_masked("demo")
    data = FactSet.parse(f"atlas(langs={';'.join(LANGS)},relations={';'.join(RELATIONS)},parallel,sample=12)").open()
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
    """Null control: over shufflings of each relation's facts in one language, what is over the null is 0 on average."""
    rows, draw, excess, p = demo.tops[method].to_pylist(), np.random.default_rng(0), [], []
    here = [row for row in rows if row["lang"] == "en"]
    there = {name: [row for row in rows if (row["lang"], row["relation"]) == ("it", name)] for name in RELATIONS}
    for _ in range(20):
        mixed = [
            row | {"neurons": own[i]["neurons"]}
            for own in there.values()
            for row, i in zip(own, draw.permutation(len(own)), strict=True)
        ]
        table = overlaps(pa.Table.from_pylist([*here, *mixed], NEURONS))
        excess.append(by_pair(table)["en", "it"].excess.value)
        p.append(np.mean(table["p"].to_numpy() <= 0.1))
    assert abs(np.mean(excess)) < 3 * np.std(excess) / np.sqrt(20)
    assert abs(np.mean(excess)) < 0.01
    assert np.mean(p) < 0.13


@pytest.fixture(scope="module")
def silenced(demo):
    questions_ = {lang: iter(asked) for lang, asked in demo.asked.items()}
    table = effects(demo.tops["activation_x_gradient"], questions_, demo.reader, Silencing(controls=3))
    frame, names = table.to_pandas(), ("random", "effect", "specific")
    return {
        pair: SimpleNamespace(**{name: drawn.estimate() for name, drawn in ratios(
            rows.reset_index(drop=True), {name: Part(rows[name].to_numpy()) for name in names}).items()})
        for pair, rows in frame.groupby(["lang", "other"])
    }  # fmt: skip


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
