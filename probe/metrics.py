"""What one ranked answer is worth: P@k and reciprocal rank, with ties resolved by a stated rule.

An answer is described by three counts: `better`, the candidates scored above the best gold; `tied`, those scored
the same (the gold itself among them); `golds`, how many of the tied are golds. With ``ties=expected`` every metric
is its expectation over a random order of the tied, so the order of candidates never matters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln


class Rank(NamedTuple):
    """Counts per answer, int arrays of one shape; see the module."""

    better: np.ndarray
    tied: np.ndarray
    golds: np.ndarray


def rank(scores: np.ndarray, gold: np.ndarray, ties: str = "expected") -> Rank:
    """Ranks from scores [n, c] (NaN: not a candidate) and a mask of golds [n, c], at least one with a score."""
    best = np.nanmax(np.where(gold, scores, np.nan), axis=1, keepdims=True)
    better = (scores > best).sum(axis=1)
    level = scores == best
    tied, golds = level.sum(axis=1), (level & gold).sum(axis=1)
    if ties == "expected":
        return Rank(better, tied, golds)
    ahead = better + (tied - golds if ties == "pessimistic" else 0)
    return Rank(ahead, np.ones_like(tied), np.ones_like(tied))


def precision_at(k: int, ranks: Rank) -> np.ndarray:
    """P@k [n]: the chance that a gold is among the first k (hypergeometric where several tie)."""
    places = np.clip(k - ranks.better, 0, ranks.tied)
    return 1.0 - np.exp(_log_choose(ranks.tied - ranks.golds, places) - _log_choose(ranks.tied, places))


def reciprocal_rank(ranks: Rank) -> np.ndarray:
    """1 / rank of the first gold [n], the summand of MRR."""
    value = 1.0 / (ranks.better + 1.0)
    for i in np.flatnonzero(ranks.tied > 1):
        better, tied, golds = (int(column[i]) for column in ranks)
        first = np.arange(1, tied - golds + 2)
        share = np.exp(_log_choose(tied - first, golds - 1) - _log_choose(tied, golds))
        value[i] = (share / (better + first)).sum()
    return value


def _log_choose(n, k):
    """log C(n, k), with -inf where k > n."""
    n, k = np.asarray(n, dtype=float), np.asarray(k, dtype=float)
    possible = k <= n
    k = np.where(possible, k, 0)
    return np.where(possible, gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), -np.inf)
