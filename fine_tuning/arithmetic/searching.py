"""How strongly a task vector may be applied: the largest scale that leaves a control what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from data_builders.errors import FactrootsError

#: 0, 0.05, …, 1, the grid of Ilharco et al. 2023.
GRID = tuple(number / 20 for number in range(21))


class Row(NamedTuple):
    """What was measured at one scale; ``holds``: the control has at least the share that it is to keep."""

    scale: float
    target: float
    control: float
    holds: bool


class Found(NamedTuple):
    """The scale that was chosen, and the whole table."""

    scale: float
    rows: list[Row]


def search(
    scales: Sequence[float],
    applied: Callable[[float], AbstractContextManager],
    target: Callable[[], float],
    control: Callable[[], float],
    keep: float = 0.95,
) -> Found:
    """The largest of `scales` at which the control keeps `keep` of its score at scale 0 (Ilharco et al. 2023, §3).

    Both are measured while ``applied(scale)`` is entered. A control that is NaN does not hold. The target decides
    nothing: it is there to be read. Raises FactrootsError where the control of the base is 0 or NaN, which any scale
    would hold.
    """
    measured = []
    for scale in sorted({0.0, *scales}):
        with applied(scale):
            measured.append((scale, target(), control()))
    plain = next(kept for scale, _, kept in measured if scale == 0)
    if not plain > 0:
        raise FactrootsError(f"the control's score is {plain} before anything is applied; choose another --control")
    rows = [Row(scale, wanted, kept, kept >= keep * plain) for scale, wanted, kept in measured]
    return Found(max(row.scale for row in rows if row.holds), rows)
