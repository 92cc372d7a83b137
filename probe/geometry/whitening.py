"""Coordinates in which all that varies in a layer varies alike, and what does not vary is left out.

Where a layer ends in a LayerNorm, a token's numbers before its gain sum to zero, so one direction has no variance in
any language: what rounding leaves there is no language's. Distances and discriminants do not change with the
coordinates, so they are taken in these, where matrices are near the identity and no inverse loses digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Of its root mean square, how much of a number is lost in float32.
ROUNDING = 2.0**-23


class Whitening(NamedTuple):
    """New coordinates x → ``axes``ᵀ x.

    axes : [d, r], with axesᵀ S axes the identity, S the covariance of groups of one size taken together.
    noise : [r], the variance in the new coordinates that is no more than rounding of float32 states makes.
    """

    axes: np.ndarray
    noise: np.ndarray

    def of(self, covariance: np.ndarray) -> np.ndarray:
        """A covariance [d, d] in the new coordinates, [r, r]."""
        return self.axes.T @ covariance @ self.axes

    def lacking(self, white: np.ndarray) -> int:
        """Of how many directions a covariance in the new coordinates [r, r] has no more than noise."""
        beyond = white - np.diag(self.noise)
        try:
            np.linalg.cholesky(beyond)
        except np.linalg.LinAlgError:
            return max(1, int((np.linalg.eigvalsh(beyond) <= 0).sum()))
        return 0


def whitening(means: Sequence[np.ndarray], covariances: Sequence[np.ndarray]) -> Whitening:
    """Of groups with these means [d] and covariances [d, d].

    In units of each dimension's root mean square, rounding makes errors of :data:`ROUNDING` at most, or d times that
    variance where all d have the same error, as a LayerNorm's mean gives them; directions of S with no more variance
    are left out, and the axes are orthogonal to them.
    """
    center = np.mean(means, axis=0)
    total = sum(covariances[1:], covariances[0]) / len(means)
    for mean in means:
        total += np.outer(mean - center, mean - center) / len(means)
    scale = np.sqrt(np.diagonal(total) + center**2)
    scale[scale == 0] = 1
    values, vectors = np.linalg.eigh(total / np.outer(scale, scale))
    noise = len(values) * ROUNDING**2
    kept = values > noise
    axes = vectors[:, kept] / np.sqrt(values[kept]) / scale[:, None]
    still, _ = np.linalg.qr(vectors[:, ~kept] / scale[:, None])
    return Whitening(axes - still @ (still.T @ axes), noise / values[kept])
