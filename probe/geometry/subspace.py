"""The affine subspace of a language at a layer: its mean and its principal axes, of which any share may be kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from probe.geometry.moments import Moments

#: The share of the variance that Chang, Tu & Bergen (2022) keep.
VARIANCE = 0.9


class Subspace(NamedTuple):
    """All of the spectrum is kept, so that the share may be chosen late.

    n : vectors that it is of; mean : [d]; values : [d], variances along the axes, descending;
    vectors : [d, d], the axes as columns, each with its largest component positive.
    """

    n: int
    mean: np.ndarray
    values: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, moments: Moments, what: str = "the vectors") -> Subspace:
        """Of one layer's moments; raises FactrootsError, naming `what`, where these have no spectrum."""
        covariance = moments.covariance
        if moments.n < 2 or not np.isfinite(covariance).all():
            raise FactrootsError(
                f"{what}: {moments.n} vectors"
                + (", of which some are not finite; load the model with --dtype float32" if moments.n > 1 else "")
            )
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = values[::-1], vectors[:, ::-1]
        if values[0] <= 0:
            raise FactrootsError(f"{what}: all {moments.n} vectors are one and the same, so they span no subspace")
        largest = np.abs(vectors).argmax(axis=0)
        signs = np.sign(vectors[largest, np.arange(len(values))])
        return cls(moments.n, moments.mean, values, vectors * signs)

    def k(self, variance: float = VARIANCE) -> int:
        """The least number of axes that hold this share of the variance; 1 asks for all d axes.

        Raises FactrootsError for a share that is not in (0, 1].
        """
        check_variance(variance)
        if variance == 1:
            return len(self.values)
        shares = self.shares.cumsum()
        return int(np.searchsorted(shares, variance * shares[-1])) + 1

    def basis(self, variance: float = VARIANCE) -> np.ndarray:
        """The axes that hold this share of the variance, [d, k]."""
        return self.vectors[:, : self.k(variance)]

    @property
    def shares(self) -> np.ndarray:
        """Each axis' share of the variance, [d], descending; values that rounding made negative count as 0."""
        held = np.maximum(self.values, 0)
        return held / held.sum()

    @property
    def rank(self) -> int:
        """Axes whose variance is more than rounding leaves of none, as numpy's matrix_rank tells them."""
        return int((self.values > self.values[0] * len(self.values) * np.finfo(float).eps).sum())

    @property
    def covariance(self) -> np.ndarray:
        """[d, d]."""
        return (self.vectors * self.values) @ self.vectors.T


def check_variance(variance: float) -> None:
    """Raises FactrootsError for what is no share to keep."""
    if not 0 < variance <= 1:
        raise FactrootsError(f"--variance takes a share above 0 and up to 1, as 0.9, got {variance:g}")
