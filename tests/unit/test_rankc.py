"""RankC by hand, against every order of the tied, and on rankings that are equal, random or none at all."""

from __future__ import annotations

import math
from itertools import permutations, product
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.rankc import WEIGHTS, corrected, floor, rankc, weights

SCORES = st.sampled_from([-1.5, 0.0, 2.0, math.nan])


def ranked(*orders: str) -> np.ndarray:
    """Scores of candidates a, b, c, .. that put them in these orders, best first."""
    return np.array([[-float(order.index(name)) for name in sorted(order)] for order in orders])


def by_sets(one: list[int], other: list[int], how: str) -> float:
    """RankC of two orders of candidates, from its definition."""
    n = len(one)
    raw = {"softmax": math.exp, "linear": lambda x: x, "square": lambda x: x * x}[how]
    total = sum(raw(n - j + 1) for j in range(1, n + 1))
    shared = [len(set(one[:j]) & set(other[:j])) / j for j in range(1, n + 1)]
    return sum(raw(n - j + 1) / total * share for j, share in zip(range(1, n + 1), shared, strict=True))


@pytest.mark.parametrize(("n", "value"), [(2, 0.6345), (3, 0.4749), (4, 0.3768), (5, 0.3096), (10, 0.1582)])
def test_published_floors(n, value):
    assert floor(n, "softmax") == pytest.approx(value, abs=5e-5)


def test_floor_of_linear_weights():
    """Σ (11 - j) / 55 · j / 10 for ten candidates."""
    assert floor(10, "linear") == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("how", "value"), [("linear", 5 / 6), ("square", 12 / 14), ("softmax", 1 - math.e / (2 * (1 + math.e + math.e**2)))]
)
def test_by_hand(how, value):
    """abc and acb share all of the first one, half of the first two, all three."""
    assert rankc(ranked("abc"), ranked("acb"), how).value == pytest.approx([value])


def test_two_candidates_turned_round():
    """Nothing is shared but the set itself, which has the weight 1 / (1 + e)."""
    found = rankc(ranked("ab"), ranked("ba"))
    assert found.value == pytest.approx([1 / (1 + math.e)])
    assert corrected(found.value, found.floor)[0] < 0  # less alike than by chance


@pytest.mark.parametrize("how", WEIGHTS)
@pytest.mark.parametrize("n", [2, 3, 10, 300, 3000])
def test_equal_rankings_have_1(how, n):
    scores = np.random.default_rng(n).normal(size=(4, n))
    found = rankc(scores, 3 * scores - 7, how)  # only the order matters
    assert found.value == pytest.approx(np.ones(4), abs=1e-9)
    assert corrected(found.value, found.floor) == pytest.approx(np.ones(4), abs=1e-9)
    assert weights(n, how).sum() == pytest.approx(1)


@pytest.mark.parametrize("how", WEIGHTS)
@pytest.mark.parametrize("n", [2, 3, 10, 80])
def test_random_rankings_have_the_floor(how, n):
    """Null control: within three standard errors of it."""
    draw = np.random.default_rng(n)
    found = rankc(draw.normal(size=(4000, n)), draw.normal(size=(4000, n)), how)
    error = found.value.std() / math.sqrt(4000)
    assert abs(found.value.mean() - floor(n, how)) < 3 * error < 0.03
    assert found.floor == pytest.approx(np.full(4000, floor(n, how)))


@pytest.mark.parametrize("how", WEIGHTS)
@pytest.mark.parametrize("n", [2, 5, 700])
def test_no_preference_has_the_floor(how, n):
    """A model that ties everything agrees with nothing more than by chance, itself included."""
    nothing, some = np.zeros((1, n)), np.random.default_rng(0).normal(size=(1, n))
    for other in (nothing, some):
        assert rankc(nothing, other, how).value == pytest.approx([floor(n, how)], abs=1e-9)


@pytest.mark.parametrize("how", WEIGHTS)
@settings(deadline=None)
@given(pairs=st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=4))
def test_against_every_order_of_the_tied(how, pairs):
    """The mean over all orders that ties could be broken in, in each language on its own."""
    kept = [pair for pair in pairs if not any(map(math.isnan, pair))]
    found = rankc(*(np.array([column]) for column in zip(*pairs, strict=True)), how)
    assert found.candidates.tolist() == [len(kept)]
    if len(kept) < 2:
        assert np.isnan([found.value[0], found.floor[0]]).all()
        return
    orders = []
    for side in (0, 1):
        every = permutations(range(len(kept)))
        orders.append({tuple(sorted(order, key=lambda c, s=side: -kept[c][s])) for order in every})
    assert found.value[0] == pytest.approx(mean(by_sets(a, b, how) for a, b in product(*orders)), abs=1e-12)


@settings(deadline=None)
@given(seed=st.integers(0, 1000))
def test_neither_order_of_candidates_nor_of_languages_matters(seed):
    draw = np.random.default_rng(seed)
    a, b = draw.integers(0, 4, size=(2, 6, 9)).astype(float)
    turned = draw.permutation(9)
    expected = rankc(a, b).value
    assert rankc(a[:, turned], b[:, turned]).value == pytest.approx(expected, abs=1e-12)
    assert rankc(b, a).value == pytest.approx(expected, abs=1e-12)


def test_questions_do_not_touch_each_other(monkeypatch):
    """Questions with their own candidates, in blocks or one at a time."""
    draw = np.random.default_rng(5)
    a, b = draw.integers(0, 6, size=(2, 40, 12)).astype(float)
    a[draw.random(a.shape) < 0.4] = math.nan
    b[draw.random(b.shape) < 0.4] = math.nan
    alone = [rankc(a[i : i + 1], b[i : i + 1], "square").value[0] for i in range(40)]
    assert len(np.unique(rankc(a, b).candidates)) > 3
    for cells in (1, 20, 10_000):
        monkeypatch.setattr("probe.rankc._CELLS", cells)
        assert rankc(a, b, "square").value == pytest.approx(alone, abs=1e-12, nan_ok=True)
