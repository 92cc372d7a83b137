"""Axes that were planted are found, and where classes mean nothing none is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.geometry.classes import Classes
from probe.geometry.discriminants import NoAxes, discriminants, held, share_between
from probe.geometry.outliers import outliers, robust

D, N = 16, 6_000


def classes(vectors: np.ndarray, which: np.ndarray, names: str = "abc") -> Classes:
    return Classes.zero(tuple(names), vectors.shape[1]).plus(vectors, which)


def planted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three classes apart in a plane of dimensions 3 and 5, where there is little else."""
    generator = np.random.default_rng(seed)
    which = generator.integers(0, 3, size=N)
    vectors = generator.normal(size=(N, D)) * np.where(np.isin(np.arange(D), [3, 5]), 0.1, 2.0)
    vectors[:, [3, 5]] += np.array([[0, 0], [1, 0], [0, 1]])[which]
    return vectors, which


def test_a_planted_plane():
    found = discriminants(classes(*planted(0)))
    plane = found.orthonormal[[3, 5]]
    assert np.linalg.svd(plane)[1] == pytest.approx([1, 1], abs=1e-3)
    other = held(found.orthonormal, classes(*planted(1)))  # other tokens
    assert other.of_between.sum() > 0.9
    assert other.explained.min() > 0.9
    assert other.of_total.sum() < 0.05


def test_shuffled_labels_find_none():
    """Null control: what the axes seem to tell apart on the tokens that they were found on is gone on others."""
    generator, (vectors, which), (others, there) = np.random.default_rng(2), planted(0), planted(1)
    shuffled, again = (classes(x, generator.permutation(w)) for x, w in ((vectors, which), (others, there)))
    found = discriminants(shuffled)
    assert found.values.sum() < 3 * 2 * D / N  # (C − 1) d / n on average
    assert held(found.orthonormal, again).explained.max() < 20 / N


def test_a_random_axis():
    """On average 1 / d of everything; shares of all of an orthonormal basis sum to one."""
    generator, own = np.random.default_rng(3), classes(*planted(0))
    basis, _ = np.linalg.qr(generator.normal(size=(D, D)))
    found = held(basis, own)
    assert found.of_total.sum() == pytest.approx(1)
    assert found.of_between.sum() == pytest.approx(1)
    assert found.explained @ found.of_total == pytest.approx(share_between(own))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_affine_map_changes_no_ratio(seed):
    generator = np.random.default_rng(seed)
    vectors, which = planted(0)
    map = generator.normal(size=(D, D)) + 4 * np.eye(D)
    moved = discriminants(classes(vectors @ map + 7, which))
    assert moved.values == pytest.approx(discriminants(classes(vectors, which)).values, rel=1e-6)


def test_a_layer_norms_direction_is_no_discriminant():
    """It has no variance at all, where scikit-learn's eigen solver stops at a singular matrix."""
    vectors, which = planted(0)
    normed = (vectors - vectors.mean(1, keepdims=True)).astype(np.float32)
    found = discriminants(classes(normed, which))
    whole = discriminants(classes(normed[:, 1:], which))
    assert found.values == pytest.approx(whole.values, rel=1e-4)
    assert found.orthonormal.sum(axis=0) == pytest.approx(0, abs=1e-6)  # nothing of it is in the axes


def test_no_axes():
    vectors, which = planted(0)
    with pytest.raises(NoAxes, match="tokens of 1 class only"):
        discriminants(classes(vectors, np.zeros_like(which)))
    vectors[:, 0] = which  # does not vary within a class
    with pytest.raises(NoAxes, match="1 of 16 directions do not vary within the classes"):
        discriminants(classes(vectors, which))


def test_outliers():
    """Two planted, one by its variance and one by its mean; their shares are of all variance."""
    generator = np.random.default_rng(4)
    mean, variance = generator.normal(size=200), np.exp(0.3 * generator.normal(size=200))
    variance[17], mean[44] = 200.0, -12.0
    found = outliers(mean, variance)
    assert [one.dimension for one in found] == [17, 44]
    assert found[0].share == pytest.approx(200 / variance.sum())
    assert found[0].variance > 6 > abs(found[0].mean)
    assert found[1].mean < -6 < found[1].variance < 6


def test_no_outliers_among_normal_dimensions():
    generator = np.random.default_rng(5)
    assert not outliers(generator.normal(size=2_000), np.exp(generator.normal(size=2_000)))


def test_robust_units():
    assert robust(np.array([1.0, 2, 3, 4, 100]))[-1] == pytest.approx(97 / 1.4826)
    assert robust(np.random.default_rng(6).normal(size=100_000)).std() == pytest.approx(1, abs=0.02)
    assert robust(np.array([1.0, 1, 1, 2])).tolist() == [0, 0, 0, np.inf]


def test_too_few_tokens():
    """Of twenty tokens any three classes are told apart in sixteen dimensions, and nothing is said."""
    vectors, which = planted(0)
    with pytest.raises(NoAxes, match="18 tokens of 16 dimensions in 3 classes are too few"):
        discriminants(classes(vectors[:18], which[:18]))
