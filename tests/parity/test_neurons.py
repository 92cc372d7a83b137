"""Importance, overlap and effects against plain loops over one fact at a time, and against captum."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_fixtures import KINDS, SECOND, asked_of, by_hand, slow_activations, slow_logprob, tiny, tops_of
from probe_fixtures import small_world

from probe.tracing.neurons.asked import Asked
from probe.tracing.neurons.effects import effects
from probe.tracing.neurons.find import NEURONS, find
from probe.tracing.neurons.importance import METHODS, distances
from probe.tracing.neurons.overlap import overlaps
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.neurons.silence import random_like, seeded
from probe.tracing.neurons.silencing import Silencing

STEPS = 7


def slow_distances(values: np.ndarray) -> np.ndarray:
    """r as published: a double loop over facts."""
    count, found = len(values), np.zeros(values.shape)
    for q in range(count):
        for other in range(count):
            if other != q:
                found[q] += np.abs(values[q].astype(float) - values[other]) / (count - 1)
    return found


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 999),
    count=st.integers(2, 9),
    ties=st.booleans(),
    offset=st.sampled_from([0.0, 1e4]),
)
def test_probeless_is_the_double_loop(seed, count, ties, offset):
    values = np.random.default_rng(seed).normal(size=(count, 11)).astype(np.float32) + np.float32(offset)
    values = values.round() if ties else values
    np.testing.assert_allclose(distances(values), slow_distances(values), rtol=1e-9, atol=1e-9)


def slow_gradients(kind: str, model, one, layer: int, share: float) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Of one fact: a layer's activations at the answer's places, the gradient where they are a share of that, and f."""
    held = []

    def scale(i: int, x: torch.Tensor) -> torch.Tensor | None:
        if i != layer:
            return None
        full = x.detach()[0, list(one.places)]
        held[:] = [full, (full * share).requires_grad_()]
        x = x.detach().clone()
        x[0, list(one.places)] = held[1]
        return x

    with by_hand(kind, model, scale):
        f = slow_logprob(model, one)
    (gradient,) = torch.autograd.grad(f, [held[1]])
    return held[0], gradient, float(f.detach())


def slow_values(kind: str, model, one, method: str) -> np.ndarray:
    """One fact's value for every neuron."""
    if method == "probeless":
        return slow_activations(kind, model, one)
    shares = [1.0] if method == "activation_x_gradient" else [(step + 0.5) / STEPS for step in range(STEPS)]
    found = []
    for layer in range(2):
        runs = [slow_gradients(kind, model, one, layer, share) for share in shares]
        found.append(sum((full * gradient).sum(dim=0) for full, gradient, _ in runs) / len(shares))
    return torch.cat(found).numpy()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_values_against_one_fact_at_a_time(kind, method, tmp_path):
    """Batches of several lengths, padded, give each fact what it has alone."""
    one = tiny(kind)
    asked = [fact for _, facts in asked_of(one, small_world(tmp_path), "ja") for fact in facts]
    assert len({len(fact.ids) for fact in asked}) > 1
    reader, found = Reader(one), {}

    def keep(batch, which):
        found.update(zip(which, METHODS[method].values(reader, batch, STEPS), strict=True))

    reader.each(asked, keep)
    expected = np.stack([slow_values(kind, one.model, fact, method) for fact in asked])
    ours = torch.stack([found[i] for i in range(len(asked))]).numpy()
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    assert np.abs(expected).max() > 1e-3
    assert all(parameter.requires_grad for parameter in one.model.parameters())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "gemma3"])  # see test_a_norm_after_the_block
def test_integrated_gradients_sum_to_what_silence_takes(kind, tmp_path):
    """Completeness: a layer's values add up to f minus f with that layer silent at the answer's places."""
    one = tiny(kind)
    fact = asked_of(one, small_world(tmp_path), "ja")[0][1][2]
    reader = Reader(one)
    found = METHODS["integrated_gradients"].values(reader, reader.batch([fact]), 64)[0].split(reader.neurons.widths)
    for layer in range(2):
        *_, whole = slow_gradients(kind, one.model, fact, layer, 1.0)
        *_, silent = slow_gradients(kind, one.model, fact, layer, 0.0)
        assert abs(whole - silent) > 1e-3
        assert float(found[layer].sum()) == pytest.approx(whole - silent, abs=1e-3 * max(1, abs(whole - silent)))


def test_a_norm_after_the_block():
    """Gemma's blocks hand on the direction alone: half a layer says what the whole does, and its values sum to 0."""
    one = tiny("gemma3")
    fact = Asked("f", "S", (0, 5, 6, 7), (2,), (7,))
    *_, whole = slow_gradients("gemma3", one.model, fact, 0, 1.0)
    *_, half = slow_gradients("gemma3", one.model, fact, 0, 0.5)
    *_, silent = slow_gradients("gemma3", one.model, fact, 0, 0.0)
    assert half == pytest.approx(whole, abs=1e-3)
    assert abs(whole - silent) > 0.01
    reader = Reader(one)
    product = METHODS["activation_x_gradient"].values(reader, reader.batch([fact]), 0)[0, :32]
    assert abs(float(product.sum())) < 1e-2 * float(product.abs().sum())


@pytest.mark.parametrize("kind", KINDS)
def test_captum(kind, tmp_path):
    """Captum's integrated gradients of the same function, and its layer gradient times activation."""
    captum = pytest.importorskip("captum.attr", reason="pip install captum")
    one = tiny(kind)
    fact = asked_of(one, small_world(tmp_path), "ja")[0][1][2]
    reader = Reader(one)
    batch = reader.batch([fact])
    ours = METHODS["integrated_gradients"].values(reader, batch, 16)[0].split(reader.neurons.widths)
    product = METHODS["activation_x_gradient"].values(reader, batch, 0)[0].split(reader.neurons.widths)
    for layer in range(2):
        full, *_ = slow_gradients(kind, one.model, fact, layer, 1.0)

        def f(rows: torch.Tensor, layer=layer) -> torch.Tensor:
            """f with a layer's activations at the answer's places given, for each of several."""

            def put(i, x, row):
                if i != layer:
                    return None
                x = x.clone()
                x[0, list(fact.places)] = row
                return x

            values = []
            for row in rows:
                with by_hand(kind, one.model, partial(put, row=row)):
                    values.append(slow_logprob(one.model, fact))
            return torch.stack(values)

        theirs = captum.IntegratedGradients(f).attribute(full[None], baselines=0.0, n_steps=16, method="riemann_middle")
        torch.testing.assert_close(ours[layer], theirs[0].sum(dim=0).float(), rtol=1e-3, atol=1e-5)
        module = one.model.get_submodule(SECOND[kind].format(layer))
        whole = lambda ids: slow_logprob(one.model, fact)[None]  # noqa: E731
        theirs = captum.LayerGradientXActivation(whole, module, multiply_by_inputs=True).attribute(
            torch.tensor([fact.ids]), attribute_to_layer_input=True
        )
        torch.testing.assert_close(product[layer], theirs[0, list(fact.places)].sum(dim=0), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "gemma3"])
def test_probeless_from_end_to_end(kind, tmp_path):
    """First neurons and weights from a fact set, against loops."""
    one, k = tiny(kind), 9
    groups = asked_of(one, small_world(tmp_path))
    table = pa.Table.from_batches(find(iter(groups), Reader(one), "it", Seeking(k=k)), NEURONS)
    expected = []
    for relation, asked in groups:
        values = slow_distances(np.stack([slow_activations(kind, one.model, fact) for fact in asked]))
        expected += [(relation, fact.fact, row) for fact, row in zip(asked, values, strict=True)]
    assert len(table) == len(expected) == 24
    for row, (relation, fact, values) in zip(table.to_pylist(), expected, strict=True):
        assert (row["relation"], row["fact"], row["lang"]) == (relation, fact, "it")
        np.testing.assert_allclose(row["weights"], np.sort(values)[::-1][:k], rtol=1e-4)
        np.testing.assert_allclose(values[row["neurons"]], row["weights"], rtol=1e-4)  # right but for near ties
        assert len(set(row["neurons"])) == k


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), facts=st.integers(1, 6), width=st.sampled_from([6, 40]))
def test_overlaps_against_sets(seed, facts, width):
    draw = np.random.default_rng(seed)
    rows = [
        (f"{relation}{i}", relation, lang, draw.choice(width, 5, replace=False))
        for lang in ("it", "ja", "af")
        for relation in ("P1", "P2")
        for i in range(facts)
        if draw.random() < 0.8
    ]
    if not rows:
        return
    sets = {(fact, lang): set(map(int, neurons)) for fact, _, lang, neurons in rows}
    table = overlaps(tops_of(rows)).to_pylist()
    seen = set()
    for row in table:
        a, b = row["lang"], row["other"]
        common = [f for f, r, lang, _ in rows if lang == a and r == row["relation"] and (f, b) in sets]
        jaccard = lambda x, y: len(x & y) / len(x | y)  # noqa: E731
        own = jaccard(sets[row["fact"], a], sets[row["fact"], b])
        null = [
            jaccard(sets[row["fact"], x], sets[g, y]) for g in common if g != row["fact"] for x, y in ((a, b), (b, a))
        ]
        assert row["jaccard"] == pytest.approx(own)
        assert row["null_pairs"] == len(null)
        assert (row["null_mean"] is None) == (not null)
        if null:
            assert row["null_mean"] == pytest.approx(np.mean(null))
            assert row["null_sd"] == pytest.approx(np.std(null), abs=1e-7)
            assert row["p"] == pytest.approx((1 + sum(x >= own for x in null)) / (1 + len(null)))
        seen.add((row["fact"], frozenset((a, b))))
    langs = {fact: [lang for f, lang in sets if f == fact] for fact, _ in sets}
    assert seen == {(f, frozenset((a, b))) for f, own in langs.items() for a in own for b in own if a != b}
    assert len(seen) == len(table)


@pytest.mark.parametrize("kind", ["xlm-roberta", "llama"])
def test_effects_against_one_fact_at_a_time(kind, tmp_path):
    """Drops by loops, the draws of random neurons and of other facts as the seed gives them."""
    one, controls = tiny(kind), 3
    world, reader = small_world(tmp_path, subjects=5), Reader(one)
    asked = {lang: asked_of(one, world, lang) for lang in ("it", "ja")}
    batches = [batch for lang in asked for batch in find(iter(asked[lang]), reader, lang, Seeking(k=6))]
    tops = pa.Table.from_batches(batches, NEURONS)
    neurons = {(row["lang"], row["fact"]): np.array(row["neurons"]) for row in tops.to_pylist()}
    table = effects(tops, {lang: iter(own) for lang, own in asked.items()}, reader, Silencing(controls, seed=3))
    assert len(table) == 2 * 5 * 4

    def logprob(fact, silent=()) -> float:
        def silence(i: int, x: torch.Tensor) -> torch.Tensor:
            x = x.clone()
            for n in silent:
                if n // 32 == i:
                    x[0, list(fact.places), n % 32] = 0
            return x

        with by_hand(kind, one.model, silence), torch.no_grad():
            return float(slow_logprob(one.model, fact)) / len(fact.places)

    for row in table.to_pylist():
        facts = dict(asked[row["other"]])[row["relation"]]
        number = next(i for i, fact in enumerate(facts) if fact.fact == row["fact"])
        own, draw = neurons[row["lang"], row["fact"]], seeded(3, row["other"], row["fact"])
        others = draw.choice(np.delete(np.arange(5), number), controls, replace=False)
        sets = random_like(own, reader.neurons.widths, controls, draw)
        drop = lambda fact, silent: logprob(fact) - logprob(fact, silent)  # noqa: E731
        expected = {
            "logprob": logprob(facts[number]),
            "drop": drop(facts[number], own),
            "random": np.mean([drop(facts[number], silent) for silent in sets]),
            "others": np.mean([drop(facts[i], own) for i in others]),
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, abs=2e-4), name
        assert row["effect"] == pytest.approx(row["drop"] - row["random"])
        assert row["specific"] == pytest.approx(row["drop"] - row["others"])
        assert 1 / (1 + controls) <= row["p"] <= 1
