"""Means and scatter of vectors, streaming: memory d², however many there are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

_ROWS = 1024


class Moments(NamedTuple):
    """Number, mean and sums of squares about the mean, in float64.

    mean : [.., d]; scatter : [.., d, d]. Leading axes are layers, which saw the same number of vectors.
    """

    n: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def zero(cls, *shape: int) -> Moments:
        """Of no vectors; the last of `shape` is d."""
        return cls(0, np.zeros(shape), np.zeros((*shape, shape[-1])))

    @classmethod
    def of(cls, vectors: np.ndarray) -> Moments:
        """Of vectors [n, d]."""
        return cls.zero(vectors.shape[1]).plus(vectors)

    def plus(self, vectors: np.ndarray) -> Moments:
        """With the vectors [.., n, d] added.

        They are centred on their own mean, so that an outlier dimension costs no digits; XᵀX is a symmetric product,
        for which numpy calls dsyrk, half the operations. No more than :data:`_ROWS` are held in float64.
        """
        if not vectors.shape[-2]:
            return self
        mean = vectors.mean(axis=-2, dtype=np.float64)
        scatter = np.zeros_like(self.scatter)
        for layer in np.ndindex(mean.shape[:-1]):
            for start in range(0, vectors.shape[-2], _ROWS):
                own = np.subtract(vectors[layer][start : start + _ROWS], mean[layer], dtype=np.float64)
                scatter[layer] += own.T @ own
        return self.merged(Moments(vectors.shape[-2], mean, scatter))

    def merged(self, other: Moments) -> Moments:
        """Of the vectors of both (Chan, Golub & LeVeque 1979, eq. 2.1)."""
        n = self.n + other.n
        if not (self.n and other.n):
            return self if self.n else other
        apart, scatter = other.mean - self.mean, self.scatter + other.scatter
        spokes = apart * math.sqrt(self.n / n * other.n)
        for layer in np.ndindex(apart.shape[:-1]):
            scatter[layer] += np.outer(spokes[layer], spokes[layer])
        return Moments(n, self.mean + apart * (other.n / n), scatter)

    def at(self, layer: int) -> Moments:
        """Those of one layer."""
        return Moments(self.n, self.mean[layer], self.scatter[layer])

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased one, [.., d, d]; NaN of fewer than two vectors."""
        return self.scatter / (self.n - 1) if self.n > 1 else np.full_like(self.scatter, np.nan)
