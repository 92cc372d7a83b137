"""What two languages know and mistake in common: by hand, by enumeration, and where they have nothing in common."""

from __future__ import annotations

from itertools import product
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.consistency import answers
from probe.overlap import independent, known, unanimous


def share(found) -> float:
    return float(found.both.sum() / found.either.sum())


def test_by_hand():
    """Of three facts known in one language or the other, one is known in both."""
    assert share(known(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 1, 0]))) == pytest.approx(1 / 3)


def test_a_language_with_itself_and_with_its_opposite():
    right = np.array([1.0, 0, 1, 1, 0])
    assert share(known(right, right)) == 1
    assert share(known(right, 1 - right)) == 0


@settings(deadline=None)
@given(chances=st.lists(st.tuples(*[st.sampled_from([0, 1, 2])] * 2), min_size=1, max_size=4))
def test_halves_are_chances(chances):
    """With P@1 of 0, 1/2 and 1 the sums are the means over all ways the coins may fall, each language's its own."""
    coins = {0: [0], 1: [0, 1], 2: [1]}
    ways = list(product(*(product(coins[a], coins[b]) for a, b in chances)))
    found = known(*(np.array(column) / 2 for column in zip(*chances, strict=True)))
    assert found.both.sum() == pytest.approx(mean(sum(a and b for a, b in way) for way in ways))
    assert found.either.sum() == pytest.approx(mean(sum(a or b for a, b in way) for way in ways))


def test_independent_languages():
    """Null control: facts drawn by relation, in each language on its own, overlap as `independent` says."""
    draw = np.random.default_rng(2)
    relation = np.repeat(["P1", "P2", "P3"], 20_000)
    level = np.repeat([0.05, 0.3, 0.9], 20_000)
    a, b = ((draw.random(60_000) < level).astype(float) for _ in range(2))
    assert share(known(a, b)) == pytest.approx(share(independent(a, b, relation)), abs=0.005)
    assert share(known(a, b)) > share(independent(a, b, np.zeros(60_000))) + 0.1  # the relations are half the story


def test_unanimous_by_hand():
    """Three languages, four facts: all right; all wrong alike; one dissents; agreed on one of two right answers."""
    said = [["a", "b", "c", "b"], ["a", "b", "c", "b"], ["a", "b", "a", "b"]]
    gold = np.array([[True, False, False], [True, False, False], [False, False, True], [True, True, False]])
    found = unanimous([answers(np.array([[c == name for c in "abc"] for name in own], float)) for own in said], gold)
    assert found.agree.tolist() == [1, 1, 0, 1]
    assert found.wrong.tolist() == [0, 1, 0, 0]


@settings(deadline=None)
@given(
    scores=st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), min_size=2, max_size=3),
    gold=st.integers(0, 2),
)
def test_unanimous_against_every_order_of_the_tied(scores, gold):
    tops = [[c for c in range(3) if row[c] == max(row)] for row in scores]
    ways = list(product(*tops))
    found = unanimous([answers(np.array([row])) for row in scores], np.eye(3, dtype=bool)[[gold]])
    assert found.agree[0] == pytest.approx(mean(len(set(way)) == 1 for way in ways))
    assert found.wrong[0] == pytest.approx(mean(len(set(way)) == 1 and way[0] != gold for way in ways), abs=1e-15)
