"""Paraphrase consistency by hand, against every order of the tied, and on answers that are equal or random."""

from __future__ import annotations

import math
from itertools import combinations, product
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.consistency import answers, by_chance, paraphrases


def given_answers(*names: str) -> np.ndarray:
    """Scores that make each of these candidates (of a, b, c) the answer."""
    return np.array([[float(c == name) for c in "abc"] for name in names])


def golds(*names: str) -> np.ndarray:
    return np.array([[c in name for c in "abc"] for name in names])


def test_by_hand():
    """Three templates, two of which say a: one pair of three agrees, and is right; two of three are right."""
    found = paraphrases(answers(given_answers("a", "a", "b")), golds("a", "a", "a"), np.zeros(3, int))
    assert (found.agree[0], found.right[0], found.accuracy[0]) == pytest.approx((1 / 3, 1 / 3, 2 / 3))
    assert found.templates.tolist() == [3]


def test_agreeing_on_a_wrong_answer():
    found = paraphrases(answers(given_answers("b", "b")), golds("a", "a"), np.zeros(2, int))
    assert (found.agree[0], found.right[0], found.accuracy[0]) == (1, 0, 0)


def test_facts_stand_apart():
    """Rows of two facts in any order, one with several right answers, and a fact that was asked once."""
    fact = np.array([1, 0, 2, 1, 0])
    found = paraphrases(
        answers(given_answers("a", "c", "b", "b", "c")), golds("ab", "c", "b", "ab", "c"), fact
    )  # fact 0: c, c; fact 1: a, b, both right but not one answer; fact 2: b
    assert found.agree == pytest.approx([1, 0, math.nan], nan_ok=True)
    assert found.right == pytest.approx([1, 0, math.nan], nan_ok=True)
    assert found.accuracy == pytest.approx([1, 1, 1])
    assert found.templates.tolist() == [2, 2, 1]


def test_nothing_that_is_no_candidate_is_an_answer():
    scores = np.array([[math.nan, -5.0, -7.0], [-1.0, math.nan, math.nan]])
    assert answers(scores).toarray().tolist() == [[0, 1, 0], [1, 0, 0]]


@settings(deadline=None)
@given(
    scores=st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), min_size=2, max_size=4),
    gold=st.sets(st.integers(0, 2), min_size=1),
)
def test_against_every_order_of_the_tied(scores, gold):
    """The mean over all ways to choose one of the best in each template."""
    tops = [[c for c in range(3) if row[c] == max(row)] for row in scores]
    every = list(product(*tops))
    pairs = [[(a, b) for a, b in combinations(chosen, 2)] for chosen in every]
    mask = np.array([[c in gold for c in range(3)]] * len(scores))
    found = paraphrases(answers(np.array(scores)), mask, np.zeros(len(scores), int))
    assert found.agree[0] == pytest.approx(mean(mean(a == b for a, b in ps) for ps in pairs))
    assert found.right[0] == pytest.approx(mean(mean(a == b and a in gold for a, b in ps) for ps in pairs))
    assert found.accuracy[0] == pytest.approx(mean(mean(a in gold for a in chosen) for chosen in every))


def test_random_answers_agree_as_chance_says():
    """Null control: answers drawn without regard to the fact agree within three standard errors of by_chance."""
    draw = np.random.default_rng(1)
    facts, templates = 3000, 4
    chosen = draw.choice(5, p=[0.5, 0.2, 0.1, 0.1, 0.1], size=facts * templates)
    given = answers(np.eye(5)[chosen])
    found = paraphrases(given, np.eye(5)[chosen] > 0, np.repeat(np.arange(facts), templates))
    error = found.agree.std() / math.sqrt(facts)
    assert by_chance(given) == pytest.approx(0.5**2 + 0.2**2 + 3 * 0.1**2, abs=0.01)
    assert abs(found.agree.mean() - by_chance(given)) < 3 * error < 0.03


def test_one_answer_to_everything_is_no_consistency():
    """Always the same answer agrees always, and so it would by chance."""
    given = answers(given_answers("a", "a", "a", "a"))
    assert by_chance(given) == 1
    assert paraphrases(given, golds("a", "a", "b", "b"), np.array([0, 0, 1, 1])).agree.tolist() == [1, 1]
