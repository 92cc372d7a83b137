"""Ranks of the submissions of a matrix, as far as its facts can tell them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from leaderboard.drawn import draw
from leaderboard.letters import letters
from leaderboard.matrix import Matrix
from leaderboard.told_apart import Pairs, told_apart
from probe.estimates import Estimate
from probe.uncertainty import LEVEL, interval


class Rank(NamedTuple):
    """One submission among others.

    p1 : on all items that it answered, with its own interval.
    best, worst : one more than the number of submissions that are surely better, and the number of those that are not
    surely worse. All of these hold together with the chance `level`.
    letters : two submissions share one exactly where they are not told apart.
    behind : what the first submission has more on the items that both answered, with its simultaneous interval; None
    of the first and of those with its very answers, and where nothing can be told.
    n, unanswered : how many items it answered, and how many others did and it did not.
    """

    p1: Estimate
    best: int
    worst: int
    letters: list[str]
    behind: Estimate | None
    n: int
    unanswered: int


def ranks(matrix: Matrix, how: str, level: float = LEVEL) -> list[Rank]:
    """The rank of each submission of a matrix, in its order; `how` is the protocol's aggregation."""
    drawn = draw(matrix, how)
    pairs = told_apart(drawn, level)
    own = drawn.own()
    row = matrix.row
    better = pairs.better[np.ix_(row, row)]
    order = np.lexsort((row, -own[row, 0]))
    alike = ~(better | better.T)[np.ix_(order, order)]
    named = dict(zip(order.tolist(), letters(alike), strict=True))
    answered = matrix.scored().sum(axis=1)
    found = []
    for number, at in enumerate(row.tolist()):
        found.append(
            Rank(
                Estimate(float(own[at, 0]), *interval(own[at, 1:], level)),
                1 + int(better[:, number].sum()),
                len(row) - int(better[number].sum()),
                named[number],
                _behind(pairs, int(row[order[0]]), at),
                int(answered[at]),
                len(matrix.items) - int(answered[at]),
            )
        )
    return found


def _behind(pairs: Pairs, first: int, row: int) -> Estimate | None:
    difference, half = pairs.difference[first, row], pairs.critical * pairs.error[first, row]
    return None if np.isnan(half) else Estimate(*(float(difference + shift) for shift in (0, -half, half)))
