"""Ratios of sums with their intervals, several of one sample from the same draws of subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import hstack

from probe import uncertainty


class Estimate(NamedTuple):
    """A value and its percentile interval."""

    value: float
    low: float
    high: float


class Drawn(NamedTuple):
    """A value of the sample and of each resample [resamples]; NaN where it is not defined."""

    value: float
    resamples: np.ndarray

    def estimate(self) -> Estimate | None:
        """None where the sample does not define the value."""
        if np.isnan(self.value):
            return None
        return Estimate(self.value, *uncertainty.interval(self.resamples))


class Part(NamedTuple):
    """What is summed over rows, for each relation or over all (``how``): a mean where `below` is 1 for every row.

    A row whose `above` is NaN takes no part.
    """

    above: np.ndarray
    below: np.ndarray | float = 1.0
    how: str = "micro"


def ratios(frame: pd.DataFrame, parts: dict[str, Part]) -> dict[str, Drawn]:
    """Σ above / Σ below of every part, over a frame with columns subject_uri, lang, relation and one row a number."""
    tallies = []
    for part in parts.values():
        defined = ~np.isnan(part.above)
        values = {"above": np.where(defined, part.above, 0.0), "below": np.where(defined, part.below, 0.0)}
        tallies += [uncertainty.tally(frame.assign(**values), column) for column in values]
    both = uncertainty.Tally(hstack([t.hits for t in tallies], "csr"), tallies[0].counts, tallies[0].langs)
    own, drawn = uncertainty.total(both), uncertainty.resample(both)
    return {
        name: Drawn(float(_ratio(own, 2 * i, part.how)), _ratio(drawn, 2 * i, part.how))
        for i, (name, part) in enumerate(parts.items())
    }


def _ratio(sums: uncertainty.Sums, place: int, how: str) -> np.ndarray:
    """The ratio of two neighbouring blocks of columns."""
    width = len(sums.langs)
    above, below = (sums.hits[..., i * width : (i + 1) * width] for i in (place, place + 1))
    with np.errstate(invalid="ignore"):
        return uncertainty.aggregate(above, below, sums.langs, how)
