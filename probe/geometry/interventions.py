"""The affine maps that conditions are, each a function of the fits, a layer and the languages.

A is the language of the text, B another. What each does is said in :data:`probe.geometry.conditions.CONDITIONS`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from probe.geometry.affine import AffineMap
from probe.geometry.erasing import Eraser, leace
from probe.geometry.fits import Fits
from probe.geometry.subspace import Subspace
from probe.tracing.neurons.silence import seeded


class Place(NamedTuple):
    """Where a map is made for: the fits, a layer, languages A and B (None where none is needed), the share of variance
    that subspaces hold, the seed of what is drawn, and the mean [d] of A's test text (None until it is known)."""

    fits: Fits
    layer: int
    a: str
    b: str | None
    variance: float
    seed: int
    test: np.ndarray | None = None

    def subspace(self, lang: str, part: str = "fit") -> Subspace:
        return self.fits.subspace(lang, self.layer, part)

    def mean(self, lang: str, part: str = "fit") -> np.ndarray:
        return self.fits.mean(lang, self.layer, part)


def own(at: Place) -> AffineMap:
    return _into(at.subspace(at.a), at)


def other(at: Place) -> AffineMap:
    return _into(at.subspace(at.b), at)


def _into(subspace: Subspace, at: Place) -> AffineMap:
    """The projection into an affine subspace."""
    return AffineMap(subspace.basis(at.variance), subspace.mean, subspace.mean)


def other_own_mean(at: Place) -> AffineMap:
    return AffineMap(at.subspace(at.b).basis(at.variance), at.mean(at.a), at.mean(at.a))


def shift(at: Place) -> AffineMap:
    return AffineMap(None, at.mean(at.a), at.mean(at.b))


def shift_project(at: Place) -> AffineMap:
    return AffineMap(at.subspace(at.b).basis(at.variance), at.mean(at.a), at.mean(at.b))


def shared(at: Place) -> AffineMap:
    basis = low_rank(np.stack([at.mean(lang) for lang in at.fits.langs], axis=1))
    return AffineMap(basis, none := np.zeros(at.fits.width), none, keep=False)


def low_rank(means: np.ndarray) -> np.ndarray:
    """LSAR's directions of languages, orthonormal [d, L − 1], of their means [d, L] (Xie et al. 2022, algorithm 1).

    All that the means differ by is kept, as published (rank 36 of 37 languages).
    """
    rank = means.shape[1] - 1
    center = means.mean(axis=1, keepdims=True)
    u, s, vh = np.linalg.svd(means - center, full_matrices=False)
    fitted = center + u[:, :rank] * s[:rank] @ vh[:rank]
    offset = np.linalg.pinv(fitted).T.sum(axis=1, keepdims=True)
    offset /= (offset**2).sum()  # nearest to the origin of all that all languages share
    return np.linalg.svd(fitted - offset, full_matrices=False)[0][:, :rank]


def centre(at: Place) -> AffineMap:
    return AffineMap(None, at.mean(at.a), np.zeros(at.fits.width))


def centre_test(at: Place) -> AffineMap:
    return AffineMap(None, at.test, np.zeros(at.fits.width))


def erase(at: Place) -> Eraser:
    return leace([at.fits.moments(lang, at.layer) for lang in at.fits.langs])


def full(at: Place) -> AffineMap:
    return own(at._replace(variance=1.0))


def random(at: Place) -> AffineMap:
    own = at.subspace(at.a)
    draw = seeded("random basis", at.seed, at.a, at.layer).normal(size=(at.fits.width, own.k(at.variance)))
    return AffineMap(np.linalg.qr(draw)[0], own.mean, own.mean)


def pooled(at: Place) -> AffineMap:
    total = at.fits.classes("language", at.layer).total
    return _into(Subspace.of(total, f"all languages, layer {at.layer}"), at)


def again(at: Place) -> AffineMap:
    return _into(at.subspace(at.a, "again"), at)


def shift_again(at: Place) -> AffineMap:
    return AffineMap(None, at.mean(at.a), at.mean(at.a, "again"))
