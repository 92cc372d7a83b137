"""Conditions by name: each map against its formula by hand, and the identities among them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sweep_fixtures import LANGS, tiny_fits

from data_builders.errors import FactrootsError
from probe.geometry.conditions import CONDITIONS, DEFAULT, Condition, expanded
from probe.geometry.erasing import leace
from probe.geometry.interventions import low_rank
from probe.geometry.moments import Moments

X = np.random.default_rng(5).normal(size=(7, 16))


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    return tiny_fits(tmp_path_factory.mktemp("fits"))[1]


def applied(fits, text: str, lang: str = "xa", variance: float = 0.9, seed: int = 0, test=None, layer: int = 1):
    map = Condition.parse(text).map(fits, layer, lang, variance, seed, test)
    return map.on(torch.float64, "cpu")(torch.from_numpy(X)).numpy()


def moments(fits, lang: str, part: str = "fit"):
    own = fits.moments(lang, 1, part)
    return own.mean, own.covariance


def projector(covariance: np.ndarray, share: float = 0.9) -> np.ndarray:
    """By singular values, as the published script has it."""
    u, s, _ = np.linalg.svd(covariance)
    k = int((s.cumsum() / s.sum() < share).sum()) + 1
    return u[:, :k] @ u[:, :k].T


def test_by_hand(fits):
    (a, cov_a), (b, cov_b), (again, cov_again) = moments(fits, "xa"), moments(fits, "xb"), moments(fits, "xa", "again")
    pa, pb = projector(cov_a), projector(cov_b)
    test = np.arange(16.0)
    expected = {
        "own": (X - a) @ pa + a,
        "other(xb)": (X - b) @ pb + b,
        "other-own-mean(xb)": (X - a) @ pb + a,
        "shift(xb)": X - a + b,
        "shift-project(xb)": (X - a) @ pb + b,
        "centre": X - a,
        "centre(test)": X - test,
        "again": (X - again) @ projector(cov_again) + again,
        "shift-again": X - a + again,
        "full": X,
    }
    for text, value in expected.items():
        np.testing.assert_allclose(applied(fits, text, test=test), value, atol=1e-10, err_msg=text)
    every = np.concatenate([fits.sequences(lang).fit.ravel() for lang in LANGS])
    assert len(every) == fits.classes("language", 1).total.n
    total = fits.classes("language", 1).total
    np.testing.assert_allclose(
        applied(fits, "pooled"), (X - total.mean) @ projector(total.covariance) + total.mean, atol=1e-10
    )


def test_identities_are_exact(fits):
    for text, variance in (
        ("full", 0.9),
        ("own", 1.0),
        ("random", 1.0),
        ("other-own-mean(xb)", 1.0),
        ("shift(xa)", 0.9),
    ):
        assert (applied(fits, text, variance=variance) == X).all(), text
    assert not (applied(fits, "own") == X).any()


def test_random_axes_are_as_many_and_hang_on_the_seed(fits):
    one, same, other = (applied(fits, "random", seed=seed) for seed in (0, 0, 1))
    assert (one == same).all()
    assert np.abs(one - other).max() > 0.1
    mean = fits.mean("xa", 1)
    k = fits.subspace("xa", 1).k(0.9)
    assert np.linalg.matrix_rank(applied(fits, "random", seed=2) - mean, tol=1e-8) == min(k, len(X))
    map = Condition.parse("random").map(fits, 1, "xa", 0.9, 0)
    assert map.rank == k
    np.testing.assert_allclose(map.basis.T @ map.basis, np.eye(k), atol=1e-12)
    other = Condition.parse("random").map(fits, 2, "xa", 0.9, 0).basis
    assert np.abs(map.basis[:, 0] - other[:, 0]).max() > 0.01


def lsar(means: np.ndarray, rank: int) -> np.ndarray:
    """The projection that is taken out, by the steps of the published script, with full decompositions."""
    number = means.shape[1]
    ones = np.ones((number, 1))
    center = means @ ones / number
    u, s, vt = np.linalg.svd(means - center @ ones.T)
    fitted = center @ ones.T
    for i in range(rank):
        fitted = fitted + s[i] * np.outer(u[:, i], vt[i])
    new = np.linalg.pinv(fitted).T @ ones
    new = new / float((new**2).sum())
    axes = np.linalg.svd(fitted - new @ ones.T)[0][:, :rank]
    return axes @ axes.T


def test_shared_is_lsar(fits):
    means = np.stack([fits.mean(lang, 1) for lang in LANGS], axis=1)
    out = lsar(means, 2)
    np.testing.assert_allclose(low_rank(means) @ low_rank(means).T, out, atol=1e-10)
    np.testing.assert_allclose(applied(fits, "shared"), X - X @ out, atol=1e-10)
    assert (applied(fits, "shared") == applied(fits, "shared", lang="xb")).all()  # it needs no language
    flat = means - out @ means
    np.testing.assert_allclose(flat - flat[:, :1], 0, atol=1e-8)  # nothing is left that the means differ by


def planted(shift: float, seed: int, n: int = 400, d: int = 6) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    mix = draw.normal(size=(d, d))
    return [draw.normal(size=(n, d)) @ mix + shift * i * np.arange(d) for i in range(3)]


def test_erasing_leaves_no_linear_trace_and_moves_least():
    groups = planted(0.3, 0)
    eraser = leace([Moments.of(group) for group in groups])
    new = [eraser.on(torch.float64, "cpu")(torch.from_numpy(group)).numpy() for group in groups]
    means = np.stack([one.mean(axis=0) for one in new])
    np.testing.assert_allclose(means, np.tile(np.concatenate(groups).mean(axis=0), (3, 1)), atol=1e-9)
    moved = sum(((one - group) ** 2).sum() for one, group in zip(new, groups, strict=True))
    centred = sum(((group.mean(axis=0) - np.concatenate(groups).mean(axis=0)) ** 2).sum() for group in groups)
    # more than one that knows the group has to, and less than an orthogonal projection, which knows it as little
    basis = np.linalg.svd(np.stack([g.mean(axis=0) for g in groups]) - np.concatenate(groups).mean(axis=0))[2][:2].T
    orth = sum(((group - np.concatenate(groups).mean(axis=0)) @ basis @ basis.T) ** 2 for group in groups).sum()
    assert centred < moved < orth


def test_erasing_where_there_is_nothing_to_tell_apart_does_nothing():
    same = Moments.of(planted(0, 2)[0])
    x = torch.randn(5, 6, dtype=torch.float64)
    assert torch.equal(leace([same, same]).on(torch.float64, "cpu")(x), x)


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_has_a_canonical_text(name, fits):
    one = Condition(name, "xb" if CONDITIONS[name].other else None)
    assert Condition.parse(str(one)) == one
    assert np.isfinite(applied(fits, str(one), test=np.zeros(16))).all()


def test_expanded(fits):
    found = expanded(DEFAULT, "xa", LANGS, fits)
    assert [str(one) for one in found[:3]] == ["own", "other(xb)", "other(xc)"]
    assert len(found) == 6 + 2 * 3  # six of A alone, three with each B
    assert [str(one) for one in expanded(["shift(xb)", "shift"], "xa", LANGS, fits)] == ["shift(xb)", "shift(xc)"]
    assert expanded(["shift(xa)"], "xa", LANGS, fits) == []


@pytest.mark.parametrize(
    ("names", "others", "said"),
    [
        (["twist"], LANGS, "unknown condition 'twist'; there are: again, centre"),
        (["shift(xz)"], LANGS, "unknown language of the fits 'xz'; there are: xa, xb, xc"),
        (["own(xb)"], LANGS, "condition own takes no language"),
        (["shift"], ["xa"], "condition shift needs a language beside xa; name one with --others"),
        (["shift(a=b)"], LANGS, "unknown condition"),
    ],
)
def test_what_is_no_condition(names, others, said, fits):
    with pytest.raises(FactrootsError) as error:
        expanded(names, "xa", others, fits)
    assert said in str(error.value)


def test_conditions_that_need_several_languages(tmp_path):
    alone = tiny_fits(tmp_path, langs=("xa",))[1]
    with pytest.raises(FactrootsError, match="condition shared needs fits of 2 languages"):
        expanded(["shared"], "xa", ["xa"], alone)
