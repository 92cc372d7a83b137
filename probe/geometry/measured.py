"""A language's rows as numbers with their resamples: how much −log p rises under each condition, and what is said.

Sequences are resampled, not tokens, which depend on each other within a sequence. A resample is the same for the plain
pass and for all conditions, so that everything is paired.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from fine_tuning.sparse.seeds import seed_of
from probe import uncertainty
from probe.geometry.rows import PLAIN
from probe.uncertainty import Tally
from probe.variants.record import Interval


class Key(NamedTuple):
    """What a column is of; `other` is "" where there is none."""

    condition: str
    other: str
    layer: int


class Measured(NamedTuple):
    """A language's numbers for each of K keys, [1 + R, K]: the sample's own, then each resample's. NaN is none.

    log : the log of the perplexity ratio. accuracy, gained : of the condition, and minus the plain pass'.
    plain : −log p and accuracy of the plain pass [1 + R, 2]; plain_count : tokens asked in it.
    sequences, left_out : [K], how many there are numbers of, and of how many not. speech : [K, 2], shares of what is
    said that are tokens of A alone and of B alone.
    """

    lang: str
    keys: list[Key]
    log: np.ndarray
    accuracy: np.ndarray
    gained: np.ndarray
    plain: np.ndarray
    plain_count: int
    sequences: np.ndarray
    left_out: np.ndarray
    speech: np.ndarray

    def share(self, k: int, which: int) -> float | None:
        """One of ``speech``."""
        return None if np.isnan(self.speech[k, which]) else float(self.speech[k, which])


def measured(table: pa.Table) -> Measured:
    """What the rows (:data:`probe.geometry.rows.ROWS`) of one language come to."""
    keys, values = _columns(table)
    plain = keys.index(Key(PLAIN, "", -1))
    nll, count, right = values["nll"], values["count"], values["right"]
    finite = ~np.isnan(nll) & ~np.isnan(nll[:, [plain]])
    rises, gains = nll - nll[:, [plain]], right - right[:, [plain]]
    own = np.where(finite[:, [plain]], np.stack([nll[:, plain], right[:, plain]], axis=1), 0)
    counts = np.where(finite, count, 0)
    parts = [*(np.where(finite, part, 0) for part in (rises, right, gains)), own]
    below = [counts, counts, counts, np.repeat(counts[:, [plain]], 2, axis=1)]
    lang = table["lang"][0].as_py()
    log, accuracy, gained, plainly = np.split(_drawn(lang, parts, below), np.cumsum([len(keys)] * 3), axis=1)
    with np.errstate(invalid="ignore"):
        said = [(np.where(finite, values[name], 0).sum(axis=0) / counts.sum(axis=0)) for name in ("in_own", "in_other")]
    sequences = finite.sum(axis=0)
    return Measured(
        lang, keys, log, accuracy, gained, plainly, int(counts[:, plain].sum()), sequences, len(nll) - sequences,
        np.stack(said, axis=1),
    )  # fmt: skip


def _columns(table: pa.Table) -> tuple[list[Key], dict[str, np.ndarray]]:
    """The keys in the order of their rows, and float64 [sequences, K] of every number."""
    frame = table.drop_columns(["lang"]).to_pandas()
    frame = frame.assign(other=frame["other"].fillna(""), layer=frame["layer"].fillna(-1).astype(int))
    keys = [Key(*key) for key in frame[list(Key._fields)].drop_duplicates().itertuples(index=False, name=None)]
    column = frame.groupby(list(Key._fields), sort=False).ngroup().to_numpy()  # numbered as they come, too
    sequence, values = frame["sequence"].to_numpy(), {}
    for name in ("nll", "count", "right", "in_own", "in_other"):
        values[name] = np.full((sequence.max() + 1, len(keys)), np.nan)
        values[name][sequence, column] = frame[name]
    return keys, values


def _drawn(lang: str, above: Sequence[np.ndarray], below: Sequence[np.ndarray]) -> np.ndarray:
    """Σ above / Σ below over sequences, of the sample and of each resample, [1 + R, columns].

    Each language has draws of its own: its sequences are no other language's.
    """
    hits, counts = (csr_array(np.concatenate(part, axis=1)) for part in (above, below))
    tally = Tally(hits, counts, np.arange(hits.shape[1]))
    drawn = uncertainty.resample(tally, seed=seed_of(uncertainty.SEED, zlib.crc32(lang.encode())))
    own = uncertainty.total(tally)
    with np.errstate(invalid="ignore"):
        return np.vstack([own.hits, drawn.hits]) / np.vstack([own.counts, drawn.counts])


def interval(values: np.ndarray, shown: Callable[[np.ndarray], np.ndarray] = lambda x: x) -> Interval | None:
    """Of values [1 + R], as they are to be shown; None where the sample has none."""
    if np.isnan(values[0]):
        return None
    values = shown(values)
    low, high = uncertainty.interval(values[1:])
    return Interval(value=float(values[0]), low=low, high=high)
