"""How sure a model is, and whether it is right as often as it is sure.

Confidence is the softmax of the protocol's scores over the candidates, at the answer (the best of them).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BINS = 10


class Confidence(NamedTuple):
    """Of n answers, [n] each.

    confidence : the probability of the answer.
    brier : Σ over candidates of (probability - 1 if right else 0)² (Brier 1950), 0..2. Several right candidates are
        one, which has the sum of their probabilities.
    candidates : how many there are, the right ones as one. `brier / candidates` is what LM-PUB-QUIZ calls Brier
        score; (1 - 1/candidates) is the `brier` of a model that prefers nothing.
    """

    confidence: np.ndarray
    brier: np.ndarray
    candidates: np.ndarray


def confidence(scores: np.ndarray, gold: np.ndarray) -> Confidence:
    """From scores [n, c] (NaN: not a candidate) and a mask of the right ones [n, c], at least one with a score."""
    here = ~np.isnan(scores)
    odds = np.where(here, np.exp(scores - np.nanmax(scores, axis=1, keepdims=True)), 0.0)
    shares = odds / odds.sum(axis=1, keepdims=True)
    right = np.where(gold, shares, 0.0).sum(axis=1)
    wrong = np.where(gold, 0.0, shares**2).sum(axis=1)
    return Confidence(shares.max(axis=1), (1 - right) ** 2 + wrong, (here & ~gold).sum(axis=1) + 1)


def equal_width(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin [n] of each answer, bins being equally wide; a bound belongs to the bin below it."""
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)


def equal_mass(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin [n] of each answer, bins being cut at quantiles; answers of one confidence stay in one bin."""
    return np.searchsorted(np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1]), confidence)


class Reliability(NamedTuple):
    """Bins that hold an answer, in order: how many, their mean confidence, their P@1."""

    n: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability(confidence: np.ndarray, p1: np.ndarray, bin_of: np.ndarray) -> Reliability:
    """The reliability diagram's rows, from [n] each."""
    _, number, n = np.unique(bin_of, return_inverse=True, return_counts=True)
    return Reliability(n, *(np.bincount(number, values) / n for values in (confidence, p1)))


def calibration_error(rows: Reliability) -> float:
    """ECE: Σ over bins of n_b / n · |accuracy_b - confidence_b| (Naeini et al. 2015; Guo et al. 2017)."""
    return float(rows.n @ np.abs(rows.accuracy - rows.confidence) / rows.n.sum())


def calibrated_error(confidence: np.ndarray, bin_of: np.ndarray, draws: int = 1000, seed: int = 0) -> float:
    """The ECE that answers right with just their confidence would have: it is above 0, for chance adds up in bins.

    The mean over `draws` of right and wrong answers (the idea of Bröcker and Smith's consistency bars, 2007).
    """
    _, number = np.unique(bin_of, return_inverse=True)
    generator = np.random.Generator(np.random.PCG64(seed))
    off = [
        np.abs(np.bincount(number, (generator.random(len(confidence)) < confidence) - confidence)).sum()
        for _ in range(draws)
    ]
    return float(np.mean(off) / len(confidence))
