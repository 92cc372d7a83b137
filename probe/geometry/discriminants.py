"""Axes along which classes of tokens differ most against what varies within them, and what axes hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from data_builders.errors import FactrootsError
from probe.geometry.classes import Classes
from probe.geometry.whitening import whitening


class NoAxes(FactrootsError):
    """Classes between which nothing tells."""


class Axes(NamedTuple):
    """directions : [d, m], by falling values [m]: the variance between classes over that within, along each."""

    directions: np.ndarray
    values: np.ndarray

    @property
    def orthonormal(self) -> np.ndarray:
        """[d, m], by Gram and Schmidt in this order, as Chang, Tu & Bergen (2022) plot them."""
        q, r = np.linalg.qr(self.directions)
        return q * np.sign(np.diagonal(r))


def discriminants(classes: Classes) -> Axes:
    """Linear discriminants (Fisher 1936; Rao 1948), as many as the means of C classes have dimensions, C − 1 at most.

    They are what scikit-learn's LinearDiscriminantAnalysis(solver="eigen") has for ``scalings_``, of unit variance
    within classes (over n), with their largest component positive; its "svd" has the same directions. Raises
    NoAxes for fewer than two classes, too few tokens, and where something that varies does not within classes.
    """
    n, d, some = classes.total.n, len(classes.total.mean), int((classes.counts > 0).sum())
    if some < 2:
        raise NoAxes(f"tokens of {some} class only; axes need two or more")
    if n < d + some:
        raise NoAxes(f"{n:,} tokens of {d} dimensions in {some} classes are too few; fit more text")
    shared = whitening([classes.total.mean], [classes.total.scatter / n])
    within = shared.of(classes.within / n)
    if lacking := shared.lacking(within):
        raise NoAxes(f"{lacking} of {len(within)} directions do not vary within the classes; fit more text")
    lower, apart = np.linalg.cholesky(within), _apart(classes) / np.sqrt(n)
    left, roots, _ = np.linalg.svd(solve_triangular(lower, shared.axes.T @ apart.T, lower=True), full_matrices=False)
    kept = (roots > roots[0] * len(lower) * np.finfo(float).eps) & (np.arange(len(roots)) < some - 1)
    if not kept.any():
        raise NoAxes("the classes have one and the same mean")
    directions = shared.axes @ solve_triangular(lower.T, left[:, kept])
    largest = np.abs(directions).argmax(axis=0)
    return Axes(directions * np.sign(directions[largest, np.arange(directions.shape[1])]), roots[kept] ** 2)


class Held(NamedTuple):
    """What each of m axes holds, [m]: of all variance; of all that is between classes; and of its own variance, how
    much is between classes."""

    of_total: np.ndarray
    of_between: np.ndarray
    explained: np.ndarray


def held(axes: np.ndarray, classes: Classes) -> Held:
    """Of orthonormal axes [d, m]. A random one has 1 / d, 1 / d and the share of all variance that is between classes,
    on average.

    Classes of other tokens than the axes were found on tell what they hold without what they owe to chance.
    """
    apart, total = _apart(classes), classes.total.scatter
    between, along = ((apart @ axes) ** 2).sum(axis=0), np.einsum("dm,dm->m", axes, total @ axes)
    return Held(along / np.trace(total), between / (apart**2).sum(), np.minimum(between / along, 1))


def share_between(classes: Classes) -> float:
    """How much of all variance is between classes: what a random axis explains, on average over what it holds."""
    return float((_apart(classes) ** 2).sum() / np.trace(classes.total.scatter))


def _apart(classes: Classes) -> np.ndarray:
    """[C', d]: the mean of each class that has tokens from that of all, times the root of their number."""
    some = classes.counts > 0
    return np.sqrt(classes.counts[some])[:, None] * (classes.means[some] - classes.total.mean)
