"""Ranks, P@k and reciprocal rank against every order that ties could be broken in."""

from __future__ import annotations

import math
from itertools import permutations
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.metrics import precision_at, rank, reciprocal_rank


@st.composite
def answers(draw):
    """Scores of up to five candidates, few levels so that many tie, NaN for none; and which of them are golds."""
    scores = draw(st.lists(st.sampled_from([-1.5, 0.0, 2.0, math.nan]), min_size=1, max_size=5))
    gold = draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    present = [i for i, s in enumerate(scores) if not math.isnan(s)]
    if not present:
        scores[0], present = 0.0, [0]
    if not any(gold[i] for i in present):
        gold[draw(st.sampled_from(present))] = True
    return scores, gold


def first_gold(order: tuple[int, ...], scores: list[float], gold: list[bool]) -> int:
    """The place of the first gold, from 1, when ties are broken by `order`."""
    ranked = sorted((i for i in order if not math.isnan(scores[i])), key=lambda i: -scores[i])
    return 1 + next(place for place, i in enumerate(ranked) if gold[i])


#: What each rule makes of a metric's values over all orders.
RULES = {"expected": mean, "optimistic": max, "pessimistic": min}


@pytest.mark.parametrize("ties", RULES)
@given(answer=answers())
def test_against_every_order(ties, answer):
    """A tie rule is the mean, the best or the worst over all orders of the candidates."""
    scores, gold = answer
    firsts = [first_gold(order, scores, gold) for order in permutations(range(len(scores)))]
    ranks = rank(np.array([scores]), np.array([gold]), ties)
    for k in (1, 2, 5, 10):
        assert precision_at(k, ranks)[0] == pytest.approx(
            RULES[ties]([float(first <= k) for first in firsts]), abs=1e-12
        )
    assert reciprocal_rank(ranks)[0] == pytest.approx(RULES[ties]([1 / first for first in firsts]), abs=1e-12)


@pytest.mark.parametrize("ties", RULES)
@given(answer=answers(), seed=st.integers(0, 100))
def test_order_of_candidates_never_matters(ties, answer, seed):
    """The same candidates in another order give the same numbers, bit for bit."""
    scores, gold = map(np.array, answer)
    other = np.random.default_rng(seed).permutation(len(scores))
    one, two = (rank(s[None], g[None], ties) for s, g in ((scores, gold), (scores[other], gold[other])))
    assert [column.tolist() for column in one] == [column.tolist() for column in two]
    assert precision_at(2, one) == precision_at(2, two) and reciprocal_rank(one) == reciprocal_rank(two)


def test_many_candidates_at_once():
    """Rows do not touch each other, and thousands of tied candidates neither overflow nor lose the gold's share."""
    scores = np.zeros((3, 3000))
    scores[1, 7], scores[2, :] = 1.0, np.arange(3000)
    gold = np.zeros(scores.shape, dtype=bool)
    gold[:, 7] = True
    ranks = rank(scores, gold)
    assert precision_at(1, ranks) == pytest.approx([1 / 3000, 1, 0])
    assert precision_at(5, ranks) == pytest.approx([5 / 3000, 1, 0])
    assert reciprocal_rank(ranks) == pytest.approx([sum(1 / r for r in range(1, 3001)) / 3000, 1, 1 / 2993])


@given(answer=answers())
def test_every_value_is_a_share(answer):
    """No rounding carries a metric outside 0..1, which a record would refuse."""
    ranks = rank(np.array([answer[0]]), np.array([answer[1]]))
    for value in (*precision_at(1, ranks), *precision_at(5, ranks), *reciprocal_rank(ranks)):
        assert 0 <= value <= 1
