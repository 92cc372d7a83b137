"""Sums that a score is made of, and their bootstrap over subjects.

Facts about one subject stand or fall together, so subjects are resampled, not facts; a subject keeps its facts in
all relations and languages, which makes every difference between languages or models a paired one. Only sums are
resampled, never scores (the sufficient statistics of sacreBLEU's significance tests; Koehn 2004).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

RESAMPLES, SEED, LEVEL = 1000, 0, 0.95
_CELLS = 1 << 19  # subjects drawn at a time, over resamples: what memory stays at, whatever there is to draw from


class Tally(NamedTuple):
    """Sums and counts by subject (rows) and by (language, relation) (columns, whose languages are `langs`)."""

    hits: csr_array
    counts: csr_array
    langs: np.ndarray


class Interval(NamedTuple):
    low: float
    high: float


class Cells(NamedTuple):
    """Where the rows of a frame are summed up: `where` (row, column) each, whatever the column of numbers."""

    where: tuple[np.ndarray, np.ndarray]
    counts: csr_array
    langs: np.ndarray


def cells(frame: pd.DataFrame) -> Cells:
    """Of a frame with columns subject_uri, lang, relation."""
    subjects = pd.Index(frame["subject_uri"].unique()).sort_values()
    keys = pd.MultiIndex.from_frame(frame[["lang", "relation"]])
    columns = keys.unique().sort_values()
    where = (subjects.get_indexer(frame["subject_uri"]), columns.get_indexer(keys))
    counts = csr_array((np.ones(len(frame)), where), shape=(len(subjects), len(columns)))
    return Cells(where, counts, columns.get_level_values(0).to_numpy())


def tally(frame: pd.DataFrame, column: str = "p1", at: Cells | None = None) -> Tally:
    """Sums of `column` over a frame, whose :func:`cells` may be at hand. NaN is refused: nothing is invented."""
    values = frame[column].to_numpy(float)
    if np.isnan(values).any():
        raise ValueError(f"{column} has {int(np.isnan(values).sum())} undefined values")
    at = at or cells(frame)
    return Tally(csr_array((values, at.where), shape=at.counts.shape), at.counts, at.langs)


def aggregate(hits: np.ndarray, counts: np.ndarray, langs: np.ndarray, how: str) -> np.ndarray:
    """Means from sums [.., columns]: over facts (``micro``), or over relations, then languages (``macro``).

    A relation that a resample does not hold takes no part in that resample's mean.
    """
    if how == "micro":
        return hits.sum(axis=-1) / counts.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, hits / counts, np.nan)
    by_lang = [_present_mean(means[..., langs == lang]) for lang in np.unique(langs)]
    return _present_mean(np.stack(by_lang, axis=-1))


class Sums(NamedTuple):
    """Sums and counts by (language, relation) [.., columns]: of the sample itself, or of each resample."""

    hits: np.ndarray
    counts: np.ndarray
    langs: np.ndarray

    def mean(self, how: str) -> np.ndarray:
        return aggregate(self.hits, self.counts, self.langs, how)


def total(tally: Tally) -> Sums:
    """The sample's own sums [columns]."""
    return Sums(*(np.asarray(part.sum(axis=0)).ravel() for part in tally[:2]), tally.langs)


def resample(tally: Tally, resamples: int = RESAMPLES, seed: int = SEED) -> Sums:
    """The sums of each bootstrap sample [resamples, columns]; equal seeds and numbers of subjects draw alike."""
    subjects = tally.hits.shape[0]
    drawn = [(weights @ tally.hits, weights @ tally.counts) for weights in draws(subjects, resamples, seed)]
    return Sums(*(np.concatenate(part) for part in zip(*drawn, strict=True)), tally.langs)


def interval(values: np.ndarray, level: float = LEVEL) -> Interval:
    """The percentile interval of bootstrap values."""
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def p_value(differences: np.ndarray) -> float:
    """Two-sided bootstrap p-value of a paired difference, (c + 1) / (n + 1) as in sacreBLEU."""
    smaller = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2 * (smaller + 1) / (len(differences) + 1)))


def draws(subjects: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each subject is drawn, in blocks [b, subjects]."""
    generator = np.random.Generator(np.random.PCG64(seed))
    block = max(1, _CELLS // max(1, subjects))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = generator.integers(0, subjects, size=(size, subjects))
        drawn += np.arange(size)[:, None] * subjects
        yield np.bincount(drawn.ravel(), minlength=size * subjects).reshape(size, subjects).astype(float)


def _present_mean(values: np.ndarray) -> np.ndarray:
    present = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(present, values, 0.0).sum(axis=-1) / present.sum(axis=-1)
