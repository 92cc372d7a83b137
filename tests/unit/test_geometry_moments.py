"""Streaming moments and class sums: any cut, any order, the same as at once."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from probe.geometry.classes import Classes
from probe.geometry.moments import Moments
from probe.geometry.subspace import Subspace


def vectors(n: int, d: int = 5, seed: int = 0) -> np.ndarray:
    """Correlated, with a dimension far out and one of a large scale."""
    draw = np.random.default_rng(seed)
    return draw.normal(size=(n, d)) @ draw.normal(size=(d, d)) + np.array([0, 1e3, 0, -40, 0][:d])


def assert_same(one: Moments, other: Moments, tolerance: float = 1e-10) -> None:
    assert one.n == other.n
    for a, b in ((one.mean, other.mean), (one.scatter, other.scatter)):
        assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


cuts = st.lists(st.integers(0, 60), min_size=0, max_size=6).map(sorted)


@settings(max_examples=60, deadline=None)
@given(cuts, st.randoms(use_true_random=False))
def test_streaming_and_merging_in_any_order_equal_one_shot(cuts, order):
    x = vectors(60)
    whole = Moments(60, x.mean(axis=0), (x - x.mean(axis=0)).T @ (x - x.mean(axis=0)))
    parts = np.split(x, cuts)
    assert_same(reduce(Moments.plus, parts, Moments.zero(5)), whole)
    order.shuffle(parts)
    each = [Moments.of(part) for part in parts]
    while len(each) > 1:  # a tree of any shape
        at = order.randrange(len(each) - 1)
        each[at : at + 2] = [each[at].merged(each[at + 1])]
    assert_same(each[0], whole)


def test_against_numpy_with_layers_and_float32():
    x = np.stack([vectors(3000, seed=seed) for seed in range(3)]).astype(np.float32)  # more rows than one cut holds
    held = Moments.zero(3, 5).plus(x[:, :1500]).plus(x[:, 1500:])
    for layer in range(3):
        assert_same(held.at(layer), Moments.of(x[layer]))
        expected = np.cov(x[layer].astype(float), rowvar=False)
        assert np.allclose(held.covariance[layer], expected, rtol=1e-10)
        assert np.array_equal(held.scatter[layer], held.scatter[layer].T)


def test_moments_do_not_change():
    held = Moments.of(vectors(10))
    mean, scatter = held.mean.copy(), held.scatter.copy()
    held.plus(vectors(10, seed=1))
    assert np.array_equal(held.mean, mean) and np.array_equal(held.scatter, scatter)


def test_fewer_than_two_have_no_covariance():
    assert np.isnan(Moments.of(vectors(1)).covariance).all()
    with pytest.raises(FactrootsError, match="it at layer 3: 1 vectors"):
        Subspace.of(Moments.of(vectors(1)), "it at layer 3")


@settings(max_examples=30, deadline=None)
@given(cuts)
def test_classes_by_hand(cuts):
    x, which = vectors(60).reshape(1, 60, 5), np.arange(60) % 4 - 1
    each = [np.split(which, cuts), np.split(x, cuts, axis=1)]
    held = Classes.zero(("a", "b", "c", "none"), 1, 5)
    for own, part in zip(*each, strict=True):
        held = held.plus(part, own)
    held = held.at(0)
    of = [x[0][which == i] for i in range(3)]
    assert held.counts.tolist() == [15, 15, 15, 0]
    assert np.allclose(held.means[:3], [own.mean(axis=0) for own in of], rtol=1e-12)
    assert np.isnan(held.means[3]).all()
    within = sum((own - own.mean(axis=0)).T @ (own - own.mean(axis=0)) for own in of)
    middle = np.concatenate(of).mean(axis=0)
    between = sum(15 * np.outer(own.mean(axis=0) - middle, own.mean(axis=0) - middle) for own in of)
    assert np.allclose(held.within, within, atol=1e-9 * np.abs(within).max())
    assert np.allclose(held.between, between, atol=1e-9 * np.abs(between).max())


def test_classes_merge():
    x, which = vectors(60), np.arange(60) % 3
    zero = Classes.zero(("a", "b", "c"), 5)
    one = zero.plus(x, which)
    two = zero.plus(x[:17], which[:17]).merged(zero.plus(x[17:], which[17:]))
    assert np.array_equal(one.counts, two.counts) and np.allclose(one.sums, two.sums)
    assert_same(one.total, two.total)


def test_a_subspace_is_told_from_its_spectrum():
    values = np.array([6.0, 3.0, 0.6, 0.4])
    axes = np.linalg.qr(vectors(4, 4))[0]
    held = Subspace.of(Moments(101, np.arange(4.0), 100 * (axes * values) @ axes.T))
    assert np.allclose(held.values, values) and np.allclose(held.shares, [0.6, 0.3, 0.06, 0.04])
    assert [held.k(v) for v in (0.5, 0.6, 0.7, 0.9, 0.95, 0.97, 1)] == [1, 1, 2, 2, 3, 4, 4]
    assert np.allclose(np.abs(held.vectors.T @ axes), np.eye(4))
    largest = held.vectors[np.abs(held.vectors).argmax(axis=0), np.arange(4)]
    assert (largest > 0).all()
    assert np.allclose(held.covariance, (axes * values) @ axes.T)
    assert held.basis(0.9).shape == (4, 2) and held.rank == 4


def test_a_spectrum_with_nothing_in_it():
    one = Moments.of(np.ones((9, 3)))
    with pytest.raises(FactrootsError, match="the vectors: all 9 vectors are one and the same"):
        Subspace.of(one)
    with pytest.raises(FactrootsError, match="some are not finite"):
        Subspace.of(one.plus(np.full((2, 3), np.nan)))


def test_all_of_a_deficient_spectrum_is_still_all_of_the_space():
    flat = np.zeros((50, 4))
    flat[:, :2] = vectors(50, 2)
    held = Subspace.of(Moments.of(flat))
    assert held.rank == 2 and held.k(1) == 4 and held.k(0.999999999999) <= 2


@pytest.mark.parametrize("variance", [0, -0.1, 1.1, float("nan")])
def test_what_is_no_share(variance):
    held = Subspace.of(Moments.of(vectors(9)))
    with pytest.raises(FactrootsError, match="--variance takes a share above 0 and up to 1"):
        held.k(variance)
