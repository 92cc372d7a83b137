"""p-values corrected for how many were made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down method (1979): the chance of one false finding or more, whatever the tests have in common."""
    return _stepped(p_values, lambda p, n: np.maximum.accumulate((n - np.arange(n)) * p))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's step-up method (1995): the share of false findings, the tests being independent."""
    return _stepped(p_values, lambda p, n: np.minimum.accumulate((n / np.arange(1, n + 1) * p)[::-1])[::-1])


def _stepped(p_values: Sequence[float], step) -> list[float]:
    """`step` takes the p-values from the smallest to the largest, and their number."""
    values = np.asarray(p_values, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values lie between 0 and 1, got {values.tolist()}")
    order = np.argsort(values, kind="stable")
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1.0, step(values[order], len(values)))
    return corrected.tolist()
