"""Dimensions that stand apart from all others: a few of them can carry most of a model's variance, or of its means.

XLM-R's dimension 588 is one (Hämmerl et al., Findings of ACL 2023).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: How many robust standard deviations from the median of all dimensions are apart.
BEYOND = 6.0


class Outlier(NamedTuple):
    """A dimension, its share of all variance, and how many robust standard deviations it lies from the median.

    `variance` is of log variances, `mean` of means.
    """

    dimension: int
    share: float
    variance: float
    mean: float


def outliers(mean: np.ndarray, variance: np.ndarray, beyond: float = BEYOND) -> list[Outlier]:
    """The dimensions with a variance more than `beyond` above the others', or a mean as far off, by falling share.

    mean, variance : [d].
    """
    spread, off = robust(np.log(np.maximum(variance, np.finfo(float).tiny))), robust(mean)
    share = variance / variance.sum()
    apart = np.flatnonzero((spread > beyond) | (np.abs(off) > beyond))
    apart = apart[np.argsort(-share[apart], kind="stable")]
    return [Outlier(int(i), *(float(part[i]) for part in (share, spread, off))) for i in apart]


def robust(values: np.ndarray) -> np.ndarray:
    """How far each of the values [d] is from their median, in units of 1.4826 times their median absolute deviation.

    That is the standard deviation where they are normal. Where more than half of the values are equal there is no such
    unit, and every other value is infinitely far.
    """
    apart = values - np.median(values)
    unit = 1.4826 * np.median(np.abs(apart))
    with np.errstate(divide="ignore"):
        return np.divide(apart, unit, out=np.zeros_like(apart), where=apart != 0)
