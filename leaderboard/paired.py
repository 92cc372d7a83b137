"""Two submissions on the items that both answered: differences with intervals and tests, and the facts that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from leaderboard.drawn import draw
from leaderboard.matrix import Matrix, matrix
from leaderboard.power import step
from leaderboard.swapping import swapped
from leaderboard.weights import of_sample
from probe.estimates import Estimate
from probe.uncertainty import interval
from probe.variants.transitions import KINDS, change


class Pair(NamedTuple):
    """Answers of a and b side by side: ``items`` has those that both answered, with P@1 ``a`` and ``b`` and what
    became of each (``change``, one of :data:`probe.variants.transitions.KINDS`); the others are counted."""

    matrix: Matrix
    items: pd.DataFrame
    only_a: int
    only_b: int


class Difference(NamedTuple):
    """b less a, of all items or of a language or relation (`by` and `group`; None is all).

    difference : with its paired bootstrap interval. low, high : p-values of it being as low, as high. beyond : how
    often noise alone would make it less than −`line`. error : its standard deviation if nothing but noise differed.
    step : what a lost fact takes away (:func:`leaderboard.power.step`). counts : items by what became of them.
    """

    by: str | None
    group: str | None
    n: int
    a: float
    b: float
    difference: Estimate
    low: float
    high: float
    beyond: float
    error: float
    step: float
    counts: dict[str, int]

    @property
    def p(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * min(self.low, self.high))


def pair(a: pd.DataFrame, b: pd.DataFrame) -> Pair:
    """From two frames of :data:`leaderboard.matrix.COLUMNS`."""
    held = matrix([a, b])
    left, right = held.p1()[held.row]
    only_a, only_b = (int((~np.isnan(one) & np.isnan(other)).sum()) for one, other in ((left, right), (right, left)))
    both = ~np.isnan(left) & ~np.isnan(right)
    held = held.only(both)
    items = held.items.assign(a=left[both], b=right[both], change=change(left[both], right[both]))
    return Pair(held, items, only_a, only_b)


def groups(items: pd.DataFrame, by: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """All items, and then every language or relation there is."""
    return [(None, None), *((name, group) for name in by for group in sorted(items[name].unique()))]


def differences(both: Pair, how: str, by: Sequence[str], draws: int, line: float = 0.0) -> list[Difference]:
    """The difference of all items, and by each of `by`; `how` is the protocol's aggregation, `draws` the number of
    swappings."""
    wanted = groups(both.items, by)
    subjects, subject = np.unique(both.items["subject_uri"].to_numpy(), return_inverse=True)
    places = [np.flatnonzero(_within(both.items, *one)) for one in wanted]
    weights = [of_sample(both.items.iloc[own], how) for own in places]
    a, change = both.items["a"].to_numpy(), (both.items["b"] - both.items["a"]).to_numpy()
    parts = [
        np.bincount(subject[own], weight * change[own], len(subjects))
        for own, weight in zip(places, weights, strict=True)
    ]
    tested = swapped(np.stack(parts, axis=1), draws, line)
    return [
        _difference(
            both, how, *one, own, *map(float, values), step(weight * a[own], weight * change[own], float(values[3]))
        )
        for one, own, weight, *values in zip(wanted, places, weights, *tested, strict=True)
    ]


def _within(items: pd.DataFrame, by: str | None, group: str | None) -> np.ndarray:
    return np.ones(len(items), bool) if by is None else (items[by] == group).to_numpy()


def _difference(both: Pair, how: str, by: str | None, group: str | None, own: np.ndarray, *tested) -> Difference:
    held = both.matrix.only(own)
    drawn = draw(held, how)
    a, b = held.row
    values = drawn.less(b, np.array([a]))[0]
    became = both.items["change"].to_numpy()[own]
    return Difference(
        by,
        group,
        len(own),
        *(float(drawn.own()[row, 0]) for row in (a, b)),
        Estimate(float(values[0]), *interval(values[1:])),
        *tested,
        {kind: int((became == kind).sum()) for kind in KINDS},
    )


def changed(both: Pair, kinds: Sequence[str]) -> Iterator[Any]:
    """The items of these kinds, in order of language, relation and item."""
    found = both.items[both.items["change"].isin(kinds)]
    yield from found.sort_values(["lang", "relation", "item", "template"]).itertuples()
