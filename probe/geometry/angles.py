"""Principal angles between subspaces, and what chance makes of them."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svdvals


def principal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The min(k, m) principal angles, radians, descending, between what the orthonormal a [d, k] and b [d, m] span.

    As scipy.linalg.subspace_angles, which makes bases orthonormal first and so takes several times as long; angles
    below some 1e-7 are not told from 0 here (Björck & Golub 1973, with the cosine alone).
    """
    return np.arccos(np.minimum(svdvals(a.T @ b), 1))[::-1]


def mean(a: np.ndarray, b: np.ndarray) -> float:
    """Their mean, degrees."""
    return float(np.degrees(principal(a, b).mean()))


def by_chance(d: int, k: int, m: int) -> float:
    """The mean principal angle, degrees, of random subspaces of k and m dimensions in a space of d.

    Squared cosines of random subspaces have a limiting law, that of a product of free projections (Collins 2005,
    "Product of random projections, Jacobi ensembles and universality problems"); k + m − d angles at least are 0.
    """
    a, b = sorted((k / d, m / d))
    if b == 1:
        return 0.0
    middle, half = a + b - 2 * a * b, 2 * np.sqrt(a * b * (1 - a) * (1 - b))
    nodes, weights = np.polynomial.legendre.leggauss(64)
    t = nodes * np.pi / 2
    x = middle + half * np.sin(t)  # in t the density has no roots at its ends
    density = (half * np.cos(t)) ** 2 / (4 * a * x * (1 - x))
    return float(np.degrees(weights @ (np.arccos(np.sqrt(x)) * density)))
