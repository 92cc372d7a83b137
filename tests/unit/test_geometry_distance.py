"""Distances between covariances, subspaces and means: closed forms, identities, what they are where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from probe.geometry import angles
from probe.geometry.distance import MEASURES, Cloud, mahalanobis, offset, riemannian
from probe.geometry.floors import drawn
from probe.geometry.moments import Moments
from probe.geometry.subspace import Subspace
from probe.geometry.whitening import Whitening, whitening


def covariance(generator: np.random.Generator, d: int) -> np.ndarray:
    """A random one, of a condition number below some thousands."""
    q, _ = np.linalg.qr(generator.normal(size=(d, d)))
    return (q * np.exp(generator.normal(size=d))) @ q.T


def as_is(d: int) -> Whitening:
    return Whitening(np.eye(d), np.zeros(d))


def normal(n: int, d: int, values=1.0) -> Subspace:
    """What n tokens of these variances would have on average."""
    return Subspace(n, np.zeros(d), np.full(d, values, float), np.eye(d))


@pytest.mark.parametrize("factor", [1.0, 1.5, 4.0])
def test_every_axis_scaled(factor):
    """Axes scaled by s or by 1 / s: √d · 2 ln s, whichever of the two each axis was."""
    generator = np.random.default_rng(0)
    a = covariance(generator, 30)
    values, vectors = np.linalg.eigh(a)
    scaled = vectors * values * factor ** generator.choice([-2, 2], size=30) @ vectors.T
    assert riemannian(a, scaled) == pytest.approx(np.sqrt(30) * 2 * np.log(factor), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 8))
def test_a_metric_that_no_affine_map_changes(seed, d):
    generator = np.random.default_rng(seed)
    a, b, c = (covariance(generator, d) for _ in range(3))
    map = generator.normal(size=(d, d)) + 3 * np.eye(d)
    assert riemannian(a, a) == pytest.approx(0, abs=1e-7)
    assert riemannian(a, b) == pytest.approx(riemannian(b, a), rel=1e-8)
    assert riemannian(a, c) <= riemannian(a, b) + riemannian(b, c) + 1e-9
    if np.linalg.cond(map) < 1e3:
        assert riemannian(map @ a @ map.T, map @ b @ map.T) == pytest.approx(riemannian(a, b), rel=1e-6)


def test_no_distance_where_a_ratio_is_not_positive():
    """Chang, Tu & Bergen's nansum left out 34 of 768 directions at a condition number of 1e10, and did not say so."""
    flat = np.diag([1.0, 1.0, 0.0])
    with pytest.raises(FactrootsError, match="1 of 3 ratios of variances are not above zero"):
        riemannian(np.eye(3), flat)
    with pytest.raises(FactrootsError, match="singular"):
        riemannian(flat, np.eye(3))


@pytest.mark.parametrize("n", [40_000, 4_000])
def test_the_floor_of_independent_tokens(n):
    """Two samples of one normal distribution, drawn token by token: √(2 d² / n) apart, and their means √(2 d / n)."""
    d, generator = 50, np.random.default_rng(1)
    spaces = [Subspace.of(Moments.of(generator.normal(size=(n, d)))) for _ in range(2)]
    clouds = [Cloud.of(space, as_is(d)) for space in spaces]
    assert MEASURES["riemann"].of(*clouds) == pytest.approx(np.sqrt(2 * d * d / n), rel=0.05)
    assert MEASURES["riemann"].closed(d, n) == pytest.approx(np.sqrt(2 * d * d / n))
    assert mahalanobis(*clouds) == pytest.approx(MEASURES["means"].closed(d, n), rel=0.25)
    assert offset(*clouds) == pytest.approx(MEASURES["offset"].closed(d, n), rel=0.25)


@pytest.mark.parametrize(("n", "floor"), [(1_024, 49.5), (4_096, 18.2), (8_192, 12.4), (65_536, 4.26), (262_144, 2.13)])
def test_the_floor_of_768_dimensions(n, floor):
    """Split halves simulated beforehand, token by token; here from Wishart matrices alone."""
    generator = np.random.default_rng(2)
    a, b = (drawn(normal(n, 768), generator).covariance for _ in range(2))
    assert riemannian(a, b) == pytest.approx(floor, rel=0.015)


def test_drawn_is_as_tokens_are():
    """The scatter's mean and variance by entry, and the mean's, against those of tokens that were drawn."""
    generator, n, times = np.random.default_rng(3), 12, 4_000
    values, (q, _) = np.array([4.0, 1.0, 0.25]), np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    space = Subspace(n, np.array([1.0, -2.0, 0.5]), values, q)
    ours = [drawn(space, generator) for _ in range(times)]
    tokens = generator.normal(size=(times, n, 3)) * np.sqrt(values) @ q.T + space.mean
    theirs = [Subspace.of(Moments.of(own)) for own in tokens]
    for part in (lambda s: s.covariance, lambda s: s.mean, lambda s: s.values):
        a, b = (np.stack([part(space) for space in spaces]) for spaces in (ours, theirs))
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / times)
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * error + 1e-12).all()
        assert a.std(axis=0) == pytest.approx(b.std(axis=0), rel=0.1)


def test_too_few_tokens_to_draw():
    with pytest.raises(FactrootsError, match="8 tokens of 8 dimensions"):
        drawn(normal(8, 8), np.random.default_rng(0))


@pytest.mark.parametrize("name", [name for name, measure in MEASURES.items() if measure.adds])
def test_what_is_above_the_floor_is_the_truth(name):
    """Languages a little apart, at a number of tokens where a good part of the distance is noise."""
    d, n, generator = 40, 2_000, np.random.default_rng(5)
    true = normal(n, d), Subspace(n, np.full(d, 0.03), np.exp(0.15 * generator.choice([-1, 1], d)), np.eye(d))
    measure, shared = MEASURES[name], as_is(d)
    exact = measure.of(*(Cloud.of(space, shared) for space in true))
    raw, above = [], []
    for _ in range(40):
        (a, again), (b, there) = ([Cloud.of(drawn(space, generator), shared) for _ in range(2)] for space in true)
        raw.append(measure.of(a, b))
        above.append(raw[-1] ** 2 - (measure.of(a, again) ** 2 + measure.of(b, there) ** 2) / 2)
    assert np.mean(raw) > 1.1 * exact
    assert np.sqrt(np.mean(above)) == pytest.approx(exact, rel=0.05)


def test_means_in_standard_deviations():
    """By hand: one and a half deviations along an axis of variance 4, and as far for a token's own distance of √5."""
    a, b = (Cloud.of(Subspace(9, np.array([x, 0.0]), np.array([4.0, 1.0]), np.eye(2)), as_is(2)) for x in (0.0, 3.0))
    assert mahalanobis(a, b) == pytest.approx(1.5)
    assert offset(a, b) == pytest.approx(3 / np.sqrt(5))


@pytest.mark.parametrize(("d", "k", "m"), [(64, 20, 30), (64, 40, 50), (64, 28, 28), (48, 5, 40)])
def test_angles_of_random_subspaces(d, k, m):
    generator = np.random.default_rng(6)
    bases = [[np.linalg.qr(generator.normal(size=(d, n)))[0] for n in (k, m)] for _ in range(200)]
    assert np.mean([angles.mean(*pair) for pair in bases]) == pytest.approx(angles.by_chance(d, k, m), abs=0.3)


def test_angles_of_all_of_the_space():
    assert angles.by_chance(10, 3, 10) == 0
    assert angles.mean(np.eye(10)[:, :3], np.eye(10)) == pytest.approx(0, abs=1e-5)


def test_coordinates_in_which_all_varies_alike():
    """A LayerNorm's direction without variance is left out, up to what rounding puts there."""
    generator, gain = np.random.default_rng(7), np.exp(np.random.default_rng(8).normal(size=24))
    states = [generator.normal(size=(500, 24)) @ covariance(generator, 24) + generator.normal(size=24) for _ in "ab"]
    normed = [(x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in states]
    moments = [Moments.of((x * gain + 5).astype(np.float32)) for x in normed]
    shared = whitening([m.mean for m in moments], [m.covariance for m in moments])
    assert shared.axes.shape == (24, 23)
    means = np.stack([m.mean for m in moments])
    total = sum(m.covariance for m in moments) / 2 + np.cov(means.T, ddof=0)
    assert shared.of(total) == pytest.approx(np.eye(23), abs=1e-9)
    assert [shared.lacking(shared.of(m.covariance)) for m in moments] == [0, 0]
    free = [m.covariance[1:, 1:] for m in moments]  # any d − 1 of the coordinates have all there is
    assert riemannian(*(shared.of(m.covariance) for m in moments)) == pytest.approx(riemannian(*free), rel=1e-6)


def test_a_language_in_which_less_varies():
    generator = np.random.default_rng(9)
    whole, poor = generator.normal(size=(300, 10)), generator.normal(size=(300, 7)) @ generator.normal(size=(7, 10))
    moments = [Moments.of(x.astype(np.float32)) for x in (whole, poor)]
    shared = whitening([m.mean for m in moments], [m.covariance for m in moments])
    assert [shared.lacking(shared.of(m.covariance)) for m in moments] == [0, 3]
