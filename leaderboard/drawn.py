"""Scores of many models in the same bootstrap samples, each on the facts that it shares with another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from leaderboard.matrix import Matrix
from leaderboard.weights import by_language, weights
from probe import uncertainty

_CELLS = 1 << 22  # weights that are held at a time, over samples


class Drawn(NamedTuple):
    """Scores of a matrix's rows, each on the items that it shares with every pattern of answered items.

    pattern : of each row, which items it has an answer to; rows that answered the same items have the same pattern.
    scores : [rows, patterns, 1 + resamples], a row's score on the items that it shares with a pattern, in the sample
    itself and then in each resample; NaN where it shares none. That is 8 bytes each.
    """

    pattern: np.ndarray
    scores: np.ndarray

    def own(self) -> np.ndarray:
        """Scores on all items that a row has an answer to [rows, 1 + resamples]."""
        return self.scores[np.arange(len(self.pattern)), self.pattern]

    def less(self, row: int, others: np.ndarray) -> np.ndarray:
        """A row's score minus that of each of the others, on what the two share [others, 1 + resamples]."""
        return self.scores[row, self.pattern[others]] - self.scores[others, self.pattern[row]]


def draw(matrix: Matrix, how: str, resamples: int = uncertainty.RESAMPLES, seed: int = uncertainty.SEED) -> Drawn:
    """Score every row of a matrix in the sample and in bootstrap samples of its subjects.

    A score is a sum of answers times weights (:mod:`leaderboard.weights`) that depend on the sample and on the items
    that count, but not on the model: one matrix product scores all models. The samples are those of
    :func:`probe.uncertainty.resample`, and so are the scores.
    """
    pattern, scored = _patterns(matrix.scored())
    times, subject = _times(matrix.items["subject_uri"].to_numpy(), resamples, seed)
    above = np.zeros((len(pattern), len(scored), len(times)))
    below = np.zeros((len(scored), len(scored), len(times)))
    for items, relations in by_language(matrix.items):
        p1, subjects = np.nan_to_num(matrix.p1(items)), subject[items]
        sets = list(_alike(scored[:, items]))
        for block in _blocks(len(times), len(subjects)):
            drawn = times[block][:, subjects].astype(float)
            for counted, pairs in sets:
                rows = np.flatnonzero(pairs.any(axis=1)[pattern])
                own = weights(drawn if counted.all() else drawn * counted, relations, how)
                sums = p1[rows] @ own.items.T
                for other in np.flatnonzero(pairs.any(axis=0)):
                    with_it = pairs[pattern[rows], other]
                    above[rows[with_it], other, block] += sums[with_it]
                below[pairs, block] += own.total
    with np.errstate(invalid="ignore"):
        above /= below[pattern]
    return Drawn(pattern, above)


def _patterns(scored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row its pattern, and the patterns [patterns, items]."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in scored)
    pattern = np.array([seen.setdefault(digest, len(seen)) for digest in digests])
    return pattern, scored[np.unique(pattern, return_index=True)[1]]


def _times(subjects: np.ndarray, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each subject is in each sample [1 + resamples, subjects], and of each item its subject."""
    distinct, subject = np.unique(subjects, return_inverse=True)
    drawn = [block.astype(np.uint16) for block in uncertainty.draws(len(distinct), resamples, seed)]
    return np.concatenate([np.ones((1, len(distinct)), np.uint16), *drawn]), subject


def _alike(scored: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The sets of items that two patterns share [items], with the pairs that share them [patterns, patterns].

    Most languages have one: every model could be asked everything.
    """
    kinds, kind = np.unique(scored, axis=0, return_inverse=True)
    sets: dict[bytes, np.ndarray] = {}
    for a, b in np.ndindex(len(kinds), len(kinds)):
        both = kinds[a] & kinds[b]
        sets.setdefault(both.tobytes(), np.zeros((len(kinds), len(kinds)), bool))[a, b] = True
    for both, pairs in sets.items():
        yield np.frombuffer(both, bool), pairs[kind][:, kind]


def _blocks(samples: int, items: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(1, items))
    return (slice(start, min(start + step, samples)) for start in range(0, samples, step))
