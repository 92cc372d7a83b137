"""The smallest drop that a check sees: what its facts, and how much two runs disagree on them, can show."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

POWER = 0.8


def step(known: np.ndarray, change: np.ndarray, error: float) -> float:
    """What a lost fact takes away from a score, on average, and from its certainty.

    known, change : what each item adds to the baseline's score, and to the difference, once its P@1 is weighed [items].
    error : the difference's standard deviation. Where subjects' facts have changed together, so that it is larger than
    that of as many facts alone, they are taken to be lost together too (the design effect).
    """
    alone = (change**2).sum()
    together = max(1.0, error**2 / alone) if alone else 1.0
    return float(together * (known**2).sum() / known.sum()) if known.any() else 0.0


def smallest_drop(score: float, step: float, error: float, alpha: float, power: float = POWER) -> float | None:
    """The drop of a `score` that the test of :mod:`leaderboard.swapping` finds at `alpha` with this power.

    A drop brings disagreement of its own, also where there was none: facts that are lost at random. With κ, the
    `step`, a drop δ is found where δ ≥ κ + (z_alpha + z_power) √(error² + κ δ); the first κ is the step in which a
    difference can change. None where the whole score would not be enough: the check is blind.
    """
    if not score:
        return None
    z2 = (norm.isf(alpha) + norm.ppf(power)) ** 2
    half = step * (2 + z2) / 2
    drop = half + np.sqrt(half**2 - step**2 + z2 * error**2)
    return float(drop) if drop <= score else None
