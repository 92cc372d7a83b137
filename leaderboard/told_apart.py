"""Which models are surely better than which, over all pairs at once.

The bootstrap of the largest of all studentised differences (max-T), stepped down: Romano and Wolf (2005), "Exact and
approximate stepdown methods for multiple hypothesis testing"; its use for ranks is that of Mogstad, Romano, Shaikh and
Wilhelm (2024), "Inference for ranks with applications to mobility across neighbourhoods and academic achievement across
countries". A p-value for each pair, corrected by Holm's method, would not do: of 1,000 resamples none is below 1/1001,
and with 500 models that times 124,750 pairs is never small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from leaderboard.drawn import Drawn
from probe.uncertainty import LEVEL

_LEAST = 1e-12  # a standard error below this is rounding: the two have the same score in every resample


class Pairs(NamedTuple):
    """Over rows of a matrix, all [rows, rows]: of i and j, i minus j.

    difference, error : the difference on shared items, NaN where there are none, and its bootstrap standard error.
    better : whether i is surely better than j. The chance that this is said wrongly of any pair at all is 1 − `level`.
    critical : so many errors to either side of a difference are its simultaneous interval at `level`.
    """

    difference: np.ndarray
    error: np.ndarray
    better: np.ndarray
    critical: float


def told_apart(drawn: Drawn, level: float = LEVEL) -> Pairs:
    """Test of every ordered pair that its first is not better than its second, all of them together.

    The null hypotheses are one-sided, and of a pair found different the other direction stays in: with it the error is
    controlled whatever the true scores are, while the tests of equality alone could err in the direction unnoticed.
    """
    rows = len(drawn.pattern)
    difference, error = np.full((2, rows, rows), np.nan)
    for i, others, values in _differences(drawn):
        difference[i, others], difference[others, i] = values[:, 0], -values[:, 0]
        error[i, others] = error[others, i] = _deviation(values[:, 1:])
    error[~(error > _LEAST)] = np.nan
    with np.errstate(invalid="ignore"):
        statistic = difference / error
    untold = ~np.isnan(statistic)
    better = np.zeros_like(untold)
    critical = first = _critical(drawn, untold, difference, error, level)
    while (found := untold & (statistic > critical)).any():
        better |= found
        untold &= ~found
        critical = _critical(drawn, untold, difference, error, level)
    return Pairs(difference, error, better, first)


def _differences(drawn: Drawn) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each row less every later one, in the sample and in each resample [others, 1 + resamples]."""
    rows = len(drawn.pattern)
    for i in range(rows - 1):
        others = np.arange(i + 1, rows)
        yield i, others, drawn.less(i, others)


def _deviation(values: np.ndarray) -> np.ndarray:
    """Standard deviations of rows; resamples in which a difference is not defined take no part."""
    with np.errstate(invalid="ignore", divide="ignore"):
        present = ~np.isnan(values)
        n = present.sum(axis=1)
        mean = np.where(present, values, 0).sum(axis=1) / n
        squares = np.where(present, values - mean[:, None], 0) ** 2
        return np.sqrt(squares.sum(axis=1) / (n - 1))


def _critical(drawn: Drawn, pairs: np.ndarray, difference: np.ndarray, error: np.ndarray, level: float) -> float:
    """The quantile of the largest studentised deviation from its difference, over ordered `pairs` [rows, rows]."""
    largest = np.full(drawn.scores.shape[2] - 1, -np.inf)
    for i, others, values in _differences(drawn):
        there, back = pairs[i, others], pairs[others, i]
        some = there | back
        scale = np.where(there, error[i, others], -error[i, others])[some, None]
        deviation = (values[some, 1:] - difference[i, others][some, None]) / scale
        deviation[(there & back)[some]] = np.abs(deviation[(there & back)[some]])
        if len(deviation):
            np.fmax(largest, np.fmax.reduce(deviation, axis=0), out=largest)
    return float(np.quantile(largest, level, method="higher"))
