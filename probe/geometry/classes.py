"""Sums of vectors by class, such as their position: what discriminant axes are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from probe.geometry.moments import Moments


class Classes(NamedTuple):
    """Vectors in C classes.

    names : of the classes; counts : int64 [C]; sums : float64 [.., C, d]; total : moments of all these vectors.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    sums: np.ndarray
    total: Moments

    @classmethod
    def zero(cls, names: tuple[str, ...], *shape: int) -> Classes:
        """Of no vectors; the last of `shape` is d."""
        counts, sums = np.zeros(len(names), np.int64), np.zeros((*shape[:-1], len(names), shape[-1]))
        return cls(names, counts, sums, Moments.zero(*shape))

    def plus(self, vectors: np.ndarray, which: np.ndarray) -> Classes:
        """With vectors [.., n, d] added, whose classes are `which`, int [n]; those below 0 are of none."""
        vectors, which = vectors[..., which >= 0, :], which[which >= 0]
        member = (which == np.arange(len(self.names))[:, None]).astype(np.float64)
        sums = self.sums.copy()
        for layer in np.ndindex(sums.shape[:-2]):
            sums[layer] += member @ vectors[layer]
        counts = self.counts + member.sum(axis=1).astype(np.int64)
        return Classes(self.names, counts, sums, self.total.plus(vectors))

    def merged(self, other: Classes) -> Classes:
        """Of the vectors of both, which have the same classes."""
        return Classes(self.names, self.counts + other.counts, self.sums + other.sums, self.total.merged(other.total))

    def at(self, layer: int) -> Classes:
        """Those of one layer."""
        return Classes(self.names, self.counts, self.sums[layer], self.total.at(layer))

    @property
    def means(self) -> np.ndarray:
        """[.., C, d]; NaN of a class without vectors."""
        with np.errstate(invalid="ignore"):
            return self.sums / self.counts[:, None]

    @property
    def between(self) -> np.ndarray:
        """The scatter of the classes' means, each as often as it has vectors, [.., d, d]."""
        some = self.counts > 0
        apart = (self.means - self.total.mean[..., None, :])[..., some, :]
        return (apart * self.counts[some, None]).swapaxes(-1, -2) @ apart

    @property
    def within(self) -> np.ndarray:
        """The scatter about the classes' means, [.., d, d]."""
        return self.total.scatter - self.between
