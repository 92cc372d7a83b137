"""What other subjects make of a candidate: plain loops, and what must not change it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.priors import others


def plain(scores: np.ndarray, subjects: list[str]) -> np.ndarray:
    """One row, one candidate, one other row at a time."""
    shares = []
    for row in scores:
        total = sum(math.exp(v) for v in row if not math.isnan(v))
        shares.append([math.exp(v) / total if not math.isnan(v) else None for v in row])
    found = np.full(scores.shape, np.nan)
    for i, subject in enumerate(subjects):
        for c in range(scores.shape[1]):
            there = [
                row[c] for row, other in zip(shares, subjects, strict=True) if other != subject and row[c] is not None
            ]
            if there:
                found[i, c] = math.log(sum(there) / len(there))
    return found


@st.composite
def tables(draw):
    rows, columns = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    values = st.floats(-60, 0) | st.just(math.nan)
    scores = [draw(st.lists(values, min_size=columns, max_size=columns)) for _ in range(rows)]
    scores = [row if not all(map(math.isnan, row)) else [0.0] * columns for row in scores]
    return np.array(scores), draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))


@given(table=tables())
def test_agrees_with_plain_loops(table):
    scores, subjects = table
    np.testing.assert_allclose(others(scores, np.array(subjects)), plain(scores, subjects), atol=1e-9)


def test_own_score_does_not_cancel():
    """A row that is sure of its candidate does not blur what the others, who give it next to nothing, say of it."""
    scores = np.array([[0.0, -900.0], [-600.0, 0.0], [-610.0, 0.0]])
    prior = others(scores, np.array(["a", "b", "c"]))
    assert prior[0, 0] == pytest.approx(np.logaddexp(-600.0, -610.0) - math.log(2))


def test_a_candidate_that_is_always_liked_loses_its_lead():
    """Null control: where every subject gets the same scores, no candidate is better than another."""
    scores = np.tile(np.log([0.7, 0.2, 0.1]), (5, 1))
    informed = scores - others(scores, np.arange(5))
    assert np.ptp(informed, axis=1) == pytest.approx(np.zeros(5), abs=1e-12)
