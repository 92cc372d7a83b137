"""Distances, maps and trees of languages against the published script, scipy, scikit-learn and loops."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import orth, subspace_angles

from data_builders.errors import FactrootsError
from probe.geometry import angles
from probe.geometry.distance import riemannian
from probe.geometry.maps import place, tree
from probe.geometry.moments import Moments
from probe.geometry.subspace import Subspace


def published(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """tylerachang/multilingual-geometry, src/distances.py: the distance, and how many directions `nansum` hides."""
    values = np.linalg.eigvals(np.linalg.inv(a) @ b)
    with np.errstate(invalid="ignore"):
        logs = np.log(np.real(values))
    return float(np.sqrt(np.nansum(np.square(logs)))), int(np.isnan(logs).sum())


def conditioned(d: int, condition: float, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    q, _ = np.linalg.qr(generator.normal(size=(d, d)))
    return (q * np.geomspace(1, 1 / condition, d)) @ q.T


@pytest.mark.parametrize(("d", "condition"), [(30, 1e2), (120, 1e4), (200, 1e6)])
def test_riemannian(d, condition):
    a, b = (conditioned(d, condition, seed) for seed in (0, 1))
    expected, hidden = published(a, b)
    assert not hidden
    assert riemannian(a, b) == pytest.approx(expected, abs=5e-4)


def test_riemannian_where_the_script_hides_directions():
    """At a condition number of 1e17 the covariances have no inverse to speak of."""
    a, b = (conditioned(120, 1e17, seed) for seed in (0, 1))
    _, hidden = published(a, b)
    assert hidden
    with pytest.raises(FactrootsError):
        riemannian(a, b)


def test_angles():
    """scipy's, between principal axes of two samples, of as many and of fewer dimensions."""
    generator = np.random.default_rng(2)
    mixing = generator.normal(size=(2, 40, 40))
    a, b = (Subspace.of(Moments.of(generator.normal(size=(900, 40)) @ own)) for own in mixing)
    for k, m in ((12, 12), (9, 20), (30, 25)):
        own, other = a.vectors[:, :k], b.vectors[:, :m]
        assert angles.principal(own, other) == pytest.approx(subspace_angles(own, other), abs=1e-7)
    near = orth(a.vectors[:, :5] + 1e-3 * generator.normal(size=(40, 5)))
    assert angles.principal(a.vectors[:, :5], near) == pytest.approx(subspace_angles(a.vectors[:, :5], near), abs=1e-7)


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def test_scaling_recovers_planted_points():
    """Of points in a plane, up to turning: their own distances, without stress, and nothing on a third axis."""
    points = np.random.default_rng(3).normal(size=(9, 2)) * [3, 1]
    found = place(distances(points), 3)
    assert distances(found.points) == pytest.approx(distances(points), abs=1e-9)
    assert found.stress == pytest.approx(0, abs=1e-9)
    assert found.share == pytest.approx(1)
    assert found.points[:, 2] == pytest.approx(0, abs=1e-6)


def test_scaling_by_loops():
    """Gower's centring entry by entry; the distances are not Euclidean, so the map has stress."""
    n, generator = 7, np.random.default_rng(4)
    table = np.triu(generator.uniform(1, 3, size=(n, n)), 1)
    table += table.T
    half = [[-(table[i, j] ** 2) / 2 for j in range(n)] for i in range(n)]
    row = [sum(own) / n for own in half]
    centred = np.array([[half[i][j] - row[i] - row[j] + sum(row) / n for j in range(n)] for i in range(n)])
    values, vectors = np.linalg.eigh(centred)
    found = place(table, 2)
    for axis, i in enumerate((n - 1, n - 2)):
        expected = vectors[:, i] * np.sqrt(values[i])
        assert np.abs(found.points[:, axis]) == pytest.approx(np.abs(expected), abs=1e-9)
    above = below = 0.0
    for i, j in combinations(range(n), 2):
        apart = sum((found.points[i, axis] - found.points[j, axis]) ** 2 for axis in range(2)) ** 0.5
        above, below = above + (apart - table[i, j]) ** 2, below + table[i, j] ** 2
    assert found.stress == pytest.approx((above / below) ** 0.5)
    assert 0.05 < found.stress < 0.9
    assert found.share == pytest.approx(values[-2:].sum() / np.abs(values).sum())


def test_scaling_as_scikit_learn_does_it():
    theirs = getattr(pytest.importorskip("sklearn.manifold"), "ClassicalMDS", None)
    if theirs is None:
        pytest.skip("this scikit-learn has no ClassicalMDS")
    table = distances(np.random.default_rng(5).normal(size=(8, 5)))
    expected = theirs(n_components=2, metric="precomputed").fit_transform(table)
    assert np.abs(place(table).points) == pytest.approx(np.abs(expected), abs=1e-9)


def test_tree():
    """Average linkage by its definition: the two nearest merge, at the mean distance of their members."""
    table = distances(np.random.default_rng(6).normal(size=(8, 3)))
    clusters, heights = {i: [i] for i in range(8)}, []
    while len(clusters) > 1:
        mean = {(a, b): table[np.ix_(clusters[a], clusters[b])].mean() for a, b in combinations(clusters, 2)}
        a, b = min(mean, key=mean.get)
        heights.append(mean[a, b])
        clusters[7 + len(heights)] = clusters.pop(a) + clusters.pop(b)
    found = tree(table)
    assert found.merges[:, 2] == pytest.approx(heights)
    assert sorted(found.order) == list(range(8))
    for members in ({0, 1}, {2, 3}):  # of two planted families, each stands together
        planted = tree(distances(np.array([[0, 0], [0, 1], [9, 0], [9, 1.0]])))
        assert {planted.order.index(i) for i in members} in ({0, 1}, {2, 3})
