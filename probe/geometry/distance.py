"""How far apart two languages lie at a layer: in what varies (covariances, subspaces) and in where they are (means)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from data_builders.errors import FactrootsError
from probe.geometry import angles
from probe.geometry.subspace import VARIANCE, Subspace
from probe.geometry.whitening import Whitening


class Cloud(NamedTuple):
    """A language's tokens at a layer, as distances need them.

    n : tokens; mean : [d]; spread : their variance summed over dimensions; basis : [d, k], principal axes.
    white_mean : [r] and white : [r, r] : mean and covariance in coordinates that all languages of the layer share.
    """

    n: int
    mean: np.ndarray
    spread: float
    basis: np.ndarray
    white_mean: np.ndarray
    white: np.ndarray

    @classmethod
    def of(cls, subspace: Subspace, shared: Whitening, variance: float = VARIANCE) -> Cloud:
        """`variance` is the share of it that the basis holds."""
        white = shared.of(subspace.covariance)
        mean = shared.axes.T @ subspace.mean
        return cls(subspace.n, subspace.mean, float(subspace.values.sum()), subspace.basis(variance), mean, white)


def riemannian(a: np.ndarray, b: np.ndarray) -> float:
    """√Σ log² λ over the generalised eigenvalues of B v = λ A v, for covariances [r, r].

    The affine-invariant distance (Bonnabel & Sepulchre 2009; Lim et al. 2019), as Chang, Tu & Bergen (2022) measure
    languages by. Divided by √r it is the root mean square of the log ratio of variances. Raises FactrootsError where
    an eigenvalue is not above zero; their script leaves such directions out of the sum and does not say so.
    """
    try:
        values = eigh(b, a, eigvals_only=True)
    except np.linalg.LinAlgError as error:
        raise FactrootsError(f"no distance between covariances of which one is singular: {error}") from error
    if not (values > 0).all():
        raise FactrootsError(
            f"no distance between covariances: {(~(values > 0)).sum()} of {len(values)} ratios of variances are not "
            "above zero; there are too few tokens"
        )
    return float(np.sqrt((np.log(values) ** 2).sum()))


def mahalanobis(a: Cloud, b: Cloud) -> float:
    """The distance of the means in standard deviations within a language (Mahalanobis 1936), with the mean covariance.

    What tells the languages best counts most, however little of the variance it has.
    """
    apart = a.white_mean - b.white_mean
    return float(np.sqrt(apart @ np.linalg.solve((a.white + b.white) / 2, apart)))


def offset(a: Cloud, b: Cloud) -> float:
    """The distance of the means over the root mean square distance of a language's tokens from their mean.

    Dimensions with large numbers count most.
    """
    return float(np.linalg.norm(a.mean - b.mean) / np.sqrt((a.spread + b.spread) / 2))


class Measure(NamedTuple):
    """A distance, and what stands beside it.

    unit : what is measured, and in what.
    adds : its square is the truth's plus that of noise, as long as both are small.
    closed : of two samples of n independent tokens of one language, from d and n; None where that is no closed form.
    chance : of two clouds that have nothing in common, from d and the two; None where there is no such thing.
    """

    unit: str
    of: Callable[[Cloud, Cloud], float]
    adds: bool = True
    closed: Callable[[int, int], float] | None = None
    chance: Callable[[int, Cloud, Cloud], float] | None = None


#: Every measure. Adding one is a line.
MEASURES = {
    "riemann": Measure(
        "Riemannian distance of covariances",
        lambda a, b: riemannian(a.white, b.white),
        closed=lambda d, n: float(np.sqrt(2 * d * d / n)),
    ),
    "angles": Measure(
        "mean principal angle, degrees",
        lambda a, b: angles.mean(a.basis, b.basis),
        adds=False,
        chance=lambda d, a, b: angles.by_chance(d, a.basis.shape[1], b.basis.shape[1]),
    ),
    "means": Measure(
        "means apart, in standard deviations within a language",
        mahalanobis,
        closed=lambda d, n: float(np.sqrt(2 * d / n)),
    ),
    "offset": Measure(
        "means apart, over a token's distance from its own mean", offset, closed=lambda d, n: float(np.sqrt(2 / n))
    ),
}
