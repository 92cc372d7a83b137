"""RankC: how alike two languages rank the same candidates, the best counting most (Qi et al., EMNLP 2023).

    RankC = Σ_j w_j · |top_j ∩ top'_j| / j,   j = 1..N,   Σ_j w_j = 1

for one question with N candidates; a pair of languages has the mean over its questions. Two random rankings do not
have 0 but Σ_j w_j · j / N, the floor, which is .63 for two candidates and .16 for ten (softmax weights): no RankC is
comparable with another without it.

Ties: in each language on its own the tied are in random order, and RankC is its expectation. So neither a file's
order nor a name decides anything, and a model that prefers nothing has the floor, not 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

#: The weight of the first j, up to a factor, from what is left of N at j: N, N - 1, .. 1. The authors' script calls
#: them softmax, norm1 and norm2.
WEIGHTS = {
    "softmax": lambda left: np.exp(left - left[0]),
    "linear": lambda left: left,
    "square": lambda left: left**2,
}
_CELLS = 1 << 18  # scores looked at together: a dozen arrays of so many numbers are held


class RankC(NamedTuple):
    """RankC [n] of n questions, its floor [n] and the candidates [n] that both languages rank.

    Where these are fewer than two there is nothing to rank: value and floor are NaN, not 1.
    """

    value: np.ndarray
    floor: np.ndarray
    candidates: np.ndarray


def rankc(a: np.ndarray, b: np.ndarray, how: str = "softmax") -> RankC:
    """RankC from two languages' scores [n, c] of the same candidates, column by column; NaN: not a candidate there.

    A question's candidates are those that have a score in both.
    """
    both = ~(np.isnan(a) | np.isnan(b))
    sizes = both.sum(axis=1)
    value, floors = np.full(len(a), np.nan), np.full(len(a), np.nan)
    for n in np.unique(sizes[sizes > 1]):
        floors[sizes == n] = floor(int(n), how)
        for rows in _blocks(np.flatnonzero(sizes == n), n):
            here = both[rows]
            one, other = (_places(scores[rows][here].reshape(-1, n)) for scores in (a, b))
            value[rows] = _expected(one, other, weights(int(n), how))
    return RankC(value, floors, sizes)


@lru_cache
def weights(n: int, how: str) -> np.ndarray:
    """w_j for j = 1..n [n], which sum to 1."""
    values = WEIGHTS[how](np.arange(n, 0, -1.0))
    return values / values.sum()


def floor(n: int, how: str) -> float:
    """The RankC that two random rankings of n candidates have on average: of the first j, each shares j/n."""
    return float(weights(n, how) @ np.arange(1, n + 1) / n)


def corrected(value, floor):
    """(RankC - floor) / (1 - floor): 0 for random rankings, 1 for equal ones."""
    return (value - floor) / (1 - floor)


class _Places(NamedTuple):
    """The places [n, c] that a candidate takes: one of begin + 1 .. end, by chance; end - begin are tied there."""

    begin: np.ndarray
    end: np.ndarray


def _places(scores: np.ndarray) -> _Places:
    order = np.argsort(-scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    change = ranked[:, 1:] != ranked[:, :-1]
    edge = np.ones((len(scores), 1), dtype=bool)
    place = np.arange(scores.shape[1])
    begin = np.maximum.accumulate(np.where(np.hstack([edge, change]), place, 0), axis=1)
    last = np.where(np.hstack([change, edge]), place + 1, scores.shape[1])
    end = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    found = _Places(np.empty_like(order), np.empty_like(order))
    for column, values in zip(found, (begin, end), strict=True):
        np.put_along_axis(column, order, values, axis=1)
    return found


def _expected(a: _Places, b: _Places, weight: np.ndarray) -> np.ndarray:
    """Σ_j w_j / j · Σ_c P(c among the first j) · P'(c among the first j), in O(c) for each question.

    P rises in a straight line from 0 at `begin` to 1 at `end`. So up to the later begin the product is 0, then it is
    of the second degree in j while both rise, then of the first, and at last 1; and sums of w_j / j · j^power over
    any stretch of j are differences of running sums.
    """
    j = np.arange(1, len(weight) + 1)
    sums = [np.concatenate([[0.0], np.cumsum(weight / j * j**power)]) for power in (0, 1, 2)]
    begin, end = np.maximum(a.begin, b.begin), np.maximum(a.end, b.end)
    middle = np.maximum(begin, np.minimum(a.end, b.end))
    both = [part[middle] - part[begin] for part in sums]
    rising = both[2] - (a.begin + b.begin) * both[1] + a.begin * b.begin * both[0]
    rising /= (a.end - a.begin) * (b.end - b.begin)
    later = a.end >= b.end  # the one that still rises when the other is at 1
    start = np.where(later, a.begin, b.begin)
    rising += (sums[1][end] - sums[1][middle] - start * (sums[0][end] - sums[0][middle])) / (end - start)
    return (rising + sums[0][-1] - sums[0][end]).sum(axis=1)


def _blocks(rows: np.ndarray, columns: int) -> Iterator[np.ndarray]:
    size = max(1, _CELLS // int(columns))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
