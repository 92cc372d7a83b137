"""Overlaps between languages and their null: on tables whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from neuron_fixtures import tops_of

from probe.tracing.neurons.overlap import overlaps, pairs

WIDTH, K = 400, 20


def drawn(facts: int, shared: float, common: int, seed: int = 0, langs=("it", "ja"), relation="P1") -> list[tuple]:
    """Facts whose neurons in each language are `common` ones of the relation's; `shared` of the rest are the fact's."""
    draw = np.random.default_rng(seed)
    own = draw.choice(WIDTH, (facts, K), replace=True)
    rows = []
    for lang in langs:
        for i in range(facts):
            kept = [n for n in own[i] if draw.random() < shared]
            neurons = dict.fromkeys([*range(WIDTH, WIDTH + common), *kept, *draw.permutation(WIDTH)])
            rows.append((f"f{i}", relation, lang, list(neurons)[:K]))
    return rows


def test_by_hand():
    """Two facts, four neurons: the same fact shares two of six, the others none and one of seven."""
    rows = [
        ("a", "P1", "it", [0, 1, 2, 3]),
        ("a", "P1", "ja", [2, 3, 4, 5]),
        ("b", "P1", "it", [6, 7, 8, 5]),
        ("b", "P1", "ja", [6, 7, 8, 9]),
        ("c", "P2", "it", [0, 1, 2, 3]),
        ("c", "P2", "ja", [0, 1, 2, 3]),
        ("d", "P1", "it", [0, 1, 2, 3]),
    ]
    table = overlaps(tops_of(rows)).to_pylist()
    assert [(row["fact"], row["lang"], row["other"]) for row in table] == [(f, "it", "ja") for f in "abc"]
    a, b, c = table
    assert (a["jaccard"], b["jaccard"], c["jaccard"]) == (2 / 6, 3 / 5, 1)
    assert a["null_mean"] == b["null_mean"] == pytest.approx((0 + 1 / 7) / 2)
    assert a["p"] == pytest.approx(1 / 3)
    assert c["null_mean"] is c["null_sd"] is c["p"] is None  # a relation of one fact has no null
    assert c["null_pairs"] == 0


def test_shuffled_facts_are_no_more_than_their_null():
    """Null control: where facts have nothing in common but their relation, the excess is about 0 and p even."""
    table = overlaps(tops_of(drawn(300, shared=0.0, common=8)))
    (own,) = pairs(table)
    assert own.overlap.value > 0.2  # what a figure without its null would call shared
    assert own.excess.low <= 0 <= own.excess.high
    assert abs(own.excess.value) < 0.01
    p = table["p"].to_numpy()
    assert 0.02 < (p <= 0.1).mean() < 0.2  # equal overlaps count against it, so that p is a little large


def test_shared_neurons_stand_out():
    """Identity control: half of a fact's neurons are its own in both languages."""
    table = overlaps(tops_of(drawn(60, shared=0.7, common=4)))
    (own,) = pairs(table)
    assert own.excess.low > 0.1
    assert own.excess.value == pytest.approx(own.overlap.value - own.null.value)
    assert (table["p"].to_numpy() < 0.02).mean() > 0.9


def test_blocks_of_facts_do_not_matter(monkeypatch):
    from probe.tracing.neurons import overlap

    rows = tops_of(drawn(50, shared=0.3, common=4))
    whole = overlaps(rows)
    monkeypatch.setattr(overlap, "_CELLS", 7 * 50)
    parts = overlaps(rows)
    for name in whole.schema.names:
        if name in ("null_mean", "null_sd"):
            np.testing.assert_allclose(whole[name].to_numpy(), parts[name].to_numpy(), rtol=1e-12)
        else:
            assert whole[name].equals(parts[name])


def test_all_pairs_weigh_alike():
    """The mean over pairs of languages has no diagonal, and a pair of few facts counts as much as one of many."""
    rows = (
        drawn(40, 0.5, 4, langs=("it", "ja"))
        + [
            (fact, relation, "af", neurons)
            for fact, relation, lang, neurons in drawn(40, 0.5, 4, seed=1)
            if lang == "it"
        ][:10]
    )
    *each, every = pairs(overlaps(tops_of(rows)))
    assert [(own.lang, own.other, own.facts) for own in each] == [("it", "ja", 40), ("it", "af", 10), ("ja", "af", 10)]
    assert every.overlap.value == pytest.approx(np.mean([own.overlap.value for own in each]))
    assert every.null.value == pytest.approx(np.mean([own.null.value for own in each]))
    assert every.overlap.low < every.overlap.value < every.overlap.high


def test_nothing_in_common():
    rows = [("a", "P1", "it", [0, 1]), ("b", "P1", "ja", [0, 1])]
    assert len(overlaps(tops_of(rows))) == 0
    assert pairs(overlaps(tops_of(rows))) == []
