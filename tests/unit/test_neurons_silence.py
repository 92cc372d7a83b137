"""Silenced neurons: nothing silenced changes nothing, everything silenced is a layer without input."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from neuron_fixtures import KINDS, asked_of, by_hand, slow_activations, slow_logprob, tiny, tops_of
from probe_fixtures import small_world

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.progress import Quiet
from probe.tracing.neurons.effects import EFFECTS, effects
from probe.tracing.neurons.find import NEURONS, find
from probe.tracing.neurons.kept import Kept, carry_out
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.neurons.silence import Trial, logprobs, mean_activations, random_like, seeded
from probe.tracing.neurons.silenced import silence
from probe.tracing.neurons.silencing import Silencing

NOTHING = np.empty(0, np.int64)


@pytest.fixture(params=KINDS)
def held(request, tmp_path):
    """A tiny model, its reader, and the facts of a language."""
    one = tiny(request.param)
    asked = [fact for _, facts in asked_of(one, small_world(tmp_path, subjects=6), "ja") for fact in facts]
    return SimpleNamespace(kind=request.param, model=one.model, reader=Reader(one), asked=asked)


def alone(held, fact, change=lambda i, x: None) -> float:
    with by_hand(held.kind, held.model, change), torch.no_grad():
        return float(slow_logprob(held.model, fact)) / len(fact.places)


def test_nothing_silenced(held):
    """Bit by bit what the model says without any hook, and what it says of each fact alone."""
    trials = [Trial(i, NOTHING) for i in range(len(held.asked))]
    found, plain = logprobs(held.reader, held.asked, trials), np.empty(len(trials), np.float32)

    def read(batch, which):
        with torch.no_grad():
            values = held.reader.logprob(held.reader.states(batch), batch.targets)
        plain[which] = batch.means(values).numpy()

    held.reader.each(held.asked, read)
    np.testing.assert_array_equal(found, plain)
    np.testing.assert_allclose(found, [alone(held, fact) for fact in held.asked], rtol=1e-4)


def test_everything_silenced(held):
    """As the model with zeros for what its second linear layers read at the answer's places."""
    every = np.arange(held.reader.neurons.total)
    found = logprobs(held.reader, held.asked, [Trial(i, every) for i in range(len(held.asked))])
    for fact, value in zip(held.asked, found, strict=True):

        def zero(_, x, fact=fact):
            x = x.clone()
            x[0, list(fact.places)] = 0
            return x

        assert value == pytest.approx(alone(held, fact, zero), abs=1e-4)
    untouched = [alone(held, fact) for fact in held.asked]
    assert np.abs(found - untouched).max() > 0.01


def test_each_row_has_its_own(held):
    """Trials in one pass are as they are one by one; a fact may be in several."""
    draw = np.random.default_rng(0)
    trials = [Trial(i % len(held.asked), draw.choice(64, i % 7, replace=False)) for i in range(20)]
    together = logprobs(held.reader, held.asked, trials)
    singly = [logprobs(held.reader, held.asked, [trial])[0] for trial in trials]
    np.testing.assert_allclose(together, singly, rtol=1e-4, atol=1e-5)
    assert len({round(float(value), 4) for value in together}) > 10


def test_at_their_mean(held):
    """A neuron that is silenced at its own activation says what it said; the mean is that of the facts."""
    rows = np.stack([slow_activations(held.kind, held.model, fact) for fact in held.asked])
    np.testing.assert_allclose(mean_activations(held.reader, held.asked), rows.mean(axis=0), rtol=1e-3, atol=1e-5)
    fact = held.asked[0]._replace(places=held.asked[0].places[:1], targets=held.asked[0].targets[:1])
    own, every = slow_activations(held.kind, held.model, fact), np.arange(held.reader.neurons.total)
    assert logprobs(held.reader, [fact], [Trial(0, every)], own)[0] == pytest.approx(alone(held, fact), rel=1e-4)


def test_no_number_is_refused_with_the_fact(held):
    with torch.no_grad():
        held.model.get_input_embeddings().weight.fill_(torch.nan)
    with pytest.raises(FactrootsError, match=f"of fact {held.asked[0].fact} is no finite number"):
        logprobs(held.reader, held.asked, [Trial(0, NOTHING)])


def test_random_neurons():
    """As many of each layer, none of the fact's, and all others equally often."""
    widths, chosen = (6, 10), np.array([1, 6, 7, 15])
    seen = np.zeros(16)
    for own in random_like(chosen, widths, 4000, np.random.default_rng(0)):
        assert len(set(own)) == 4
        assert (own < 6).sum() == 1
        seen[own] += 1
    assert seen[chosen].sum() == 0
    rest = np.setdiff1d(np.arange(16), chosen)
    expected = np.where(rest < 6, 4000 / 5, 4000 * 3 / 7)
    np.testing.assert_allclose(seen[rest], expected, rtol=0.1)
    with pytest.raises(FactrootsError, match="layer 0 has 6 neurons, and 4 of them are a fact's"):
        next(random_like(np.arange(4), widths, 1, np.random.default_rng(0)))


def test_draws_depend_on_their_names_alone():
    assert seeded(0, "it", "f").integers(1 << 40) == seeded(0, "it", "f").integers(1 << 40)
    assert seeded(0, "it", "f").integers(1 << 40) != seeded(1, "it", "f").integers(1 << 40)
    assert seeded(0, "it", "f").integers(1 << 40) != seeded(0, "ja", "f").integers(1 << 40)


def world(kind: str, folder, subjects: int = 6):
    """A tiny model's reader, the first neurons of a small world, and its questions made anew at every call."""
    one = tiny(kind)
    facts, reader = small_world(folder, subjects), Reader(one)
    asked = {lang: asked_of(one, facts, lang) for lang in ("it", "ja")}
    parts = [part for lang in asked for part in find(iter(asked[lang]), reader, lang, Seeking(k=6))]
    return reader, pa.Table.from_batches(parts, NEURONS), lambda: {lang: iter(own) for lang, own in asked.items()}


def test_effects_are_seeded(tmp_path):
    """One seed gives one table to the last bit; another draws other neurons and other facts."""
    reader, tops, asked = world("bert", tmp_path)
    one, again, other = (effects(tops, asked(), reader, Silencing(2, seed=seed)) for seed in (0, 0, 1))
    assert one.equals(again)
    assert one["drop"].equals(other["drop"])
    assert not one["random"].equals(other["random"])
    assert not one["others"].equals(other["others"])
    assert one.schema.equals(EFFECTS)
    assert {(row["lang"], row["other"]) for row in one.to_pylist()} == {
        (a, b) for a in ("it", "ja") for b in ("it", "ja")
    }


def test_levels(tmp_path):
    reader, tops, asked = world("bert", tmp_path)
    zero, mean = (effects(tops, asked(), reader, Silencing(2, level)) for level in ("zero", "mean"))
    assert zero["logprob"].equals(mean["logprob"])
    assert not zero["drop"].equals(mean["drop"])


def test_a_fact_in_one_language_alone(tmp_path):
    """It is measured there, and nowhere else; a fact alone in its relation has no others, and null is said so."""
    reader, tops, asked = world("bert", tmp_path)
    rows = [
        (row["fact"], row["relation"], row["lang"], row["neurons"])
        for row in tops.to_pylist()
        if (row["fact"], row["lang"]) != ("P36-0", "ja") and row["fact"] in ("P36-0", "P36-1", "P47-2")
    ]
    found = effects(tops_of(rows), asked(), reader, Silencing(3)).to_pylist()
    at = {(row["fact"], row["lang"], row["other"]): row for row in found}
    assert len(at) == len(found) == 1 + 4 + 4
    assert ("P36-0", "it", "it") in at
    assert at["P36-1", "ja", "ja"]["others"] is None  # P36-0 has no neurons in ja, so nobody says that it is right
    assert at["P36-1", "ja", "it"]["others"] is not None
    for a in ("it", "ja"):
        assert at["P47-2", a, "it"]["others"] is at["P47-2", a, "it"]["specific"] is at["P47-2", a, "it"]["p"] is None
    assert all(row["drop"] is not None and row["effect"] is not None for row in found)


def test_a_stopped_silencing_goes_on_and_ends_with_the_same_bytes(tmp_path):
    one, data = Model.of(tiny("bert")), FactSet.parse(small_world(tmp_path / "facts", 6)).open()
    right = {"it": {f"P36-{i}" for i in range(6)}, "ja": {f"P36-{i}" for i in range(5)} | {"P47-1", "P47-2"}}
    wanted = {lang: {(source, fact) for source in right for fact in right[source]} for lang in right}
    found = []
    for name, stops in (("whole", []), ("again", [1, 2, 3])):
        made = carry_out(data, one, right, Seeking(k=5), tmp_path / name, Quiet())
        for stop in stops:
            with pytest.raises(KeyboardInterrupt):
                silence(data, one, made, wanted, Silencing(2), Stopping(stop))
        table = silence(data, one, made, wanted, Silencing(2), Quiet())
        (folder,) = made.folder.glob("effects-*")
        found.append({p.name: p.read_bytes() for p in folder.iterdir() if p.name != ".lock"})
    assert found[0] == found[1]
    assert set(found[0]) == {"effects.json", "it.parquet", "ja.parquet"}
    assert len(table) == 6 + 5 + 5 + 7
    some = silence(data, one, made, {"it": {("ja", "P36-1"), ("it", "P36-2"), ("ja", "none")}}, Silencing(2), Quiet())
    key = lambda row: (row["lang"], row["other"], row["fact"])  # noqa: E731
    whole = {key(row): row for row in table.to_pylist()}
    assert {key(row) for row in some.to_pylist()} == {("ja", "it", "P36-1"), ("it", "it", "P36-2")}
    for row in some.to_pylist():  # compared with the same controls, whoever else is wanted
        for name in ("drop", "random", "others", "p"):
            assert row[name] == pytest.approx(whole[key(row)][name], abs=1e-5)
    with pytest.raises(FactrootsError, match="holds no neurons"):
        silence(data, one, Kept(tmp_path), wanted, Silencing(), Quiet())


def test_a_fact_is_given_up_with_the_first_control_that_reaches_it(tmp_path):
    """Facts that no control reaches have the p of all controls, others one that is no smaller."""
    reader, tops, asked = world("bert", tmp_path, 30)
    whole, short = (effects(tops, asked(), reader, Silencing(25, stop=stop)).to_pylist() for stop in (False, True))
    kinds = set()
    for one, other in zip(whole, short, strict=True):
        assert one["drop"] == pytest.approx(other["drop"], abs=1e-6) and one["controls"] == other["controls"] == 25
        least = one["p"] == 1 / 26
        kinds.add(least)
        assert other["p"] == one["p"] if least else other["p"] > 1 / 26
    assert kinds == {True, False}


class Stopping(Quiet):
    """Stops a run when it is told of progress for the n-th time."""

    def __init__(self, stop: int):
        self.left = stop

    def advance(self, facts, before=False):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "text", ["silence", "silence(controls=3)", "silence(level=mean,seed=4)", "silence(controls=99,stop)"]
)
def test_the_text_of_a_silencing(text):
    assert str(Silencing.parse(text)) == text
    assert Silencing.parse(str(Silencing.parse(text))) == Silencing.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hush", "cannot read 'hush'; expected silence or"),
        ("silence(level=half)", "unknown level of a silenced neuron 'half'; there are: mean, zero"),
        ("silence(n=3)", "unknown parameter of silence 'n'; there are: controls, level, seed, stop"),
        ("silence(controls=0)", "at least one control"),
        ("silence(stop=1)", "stop takes no value"),
        ("silence(seed=x)", "seed takes one whole number"),
    ],
)
def test_what_is_no_silencing(text, message):
    with pytest.raises(FactrootsError, match=message):
        Silencing.parse(text)


def test_a_neuron_that_was_planted(tmp_path):
    """Where a layer hands on one neuron alone, silencing it has an effect, and any other of that layer none at all."""
    one = tiny("bert")
    facts = asked_of(one, small_world(tmp_path, subjects=6))[0][1]
    weight, only = one.model.bert.encoder.layer[1].output.dense.weight, 7
    with torch.no_grad():
        weight[:, [n for n in range(32) if n != only]] = 0
        weight[:, only] *= 20
    rows = [(own.fact, "P36", "it", [32 + only]) for own in facts]
    for row in effects(tops_of(rows), {"it": iter([("P36", facts)])}, Reader(one), Silencing(5)).to_pylist():
        assert abs(row["drop"]) > 1e-4
        assert row["random"] == pytest.approx(0, abs=1e-6)
        assert row["effect"] == pytest.approx(row["drop"], abs=1e-6)
