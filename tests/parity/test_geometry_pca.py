"""Subspaces against scikit-learn's PCA and the published script's SVD; how k errs where there are few tokens."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_fixtures import fitted, text, tiny
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from probe.geometry.layers import blocks, watching
from probe.geometry.moments import Moments
from probe.geometry.subspace import Subspace


def stacked(one, sequences: np.ndarray, layer: int) -> np.ndarray:
    """All tokens' vectors [n, d], as the published script stacks them."""
    import torch

    held = []
    with watching(blocks(one.model), lambda _, x: held.append(x.flatten(0, 1)), [layer]), torch.no_grad():
        one.model(input_ids=torch.as_tensor(sequences).long())
    return torch.cat(held).double().numpy()


@pytest.mark.parametrize("kind", ["xlm-roberta", "gpt2"])
def test_a_fit_is_sklearns_pca(kind, tmp_path):
    one = tiny(kind)
    fits = fitted(one, text(tmp_path / "text"), tmp_path / "fits")
    for layer in fits.layers:
        own, pca = fits.subspace("ja", layer), PCA(svd_solver="full")
        pca.fit(stacked(one, fits.sequences("ja").fit, layer))
        assert np.allclose(own.mean, pca.mean_, atol=1e-6)
        assert np.allclose(own.values, pca.explained_variance_, atol=1e-6 * own.values[0])
        assert np.allclose(own.shares, pca.explained_variance_ratio_, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_pca_and_the_published_svd_of_the_same_vectors(seed):
    """``src/utils.py``: k the least with cumsum(s²) >= 0.9 of all, of a thin SVD of the centred vectors in float64."""
    draw = np.random.default_rng(seed)
    x = (draw.normal(size=(600, 40)) @ np.diag(np.arange(1, 41) ** -0.7) + draw.normal(size=40) * 5).astype(np.float32)
    own = Subspace.of(Moments.zero(40).plus(x[:250]).plus(x[250:]))
    pca = PCA(svd_solver="full").fit(x.astype(float))
    assert np.allclose(own.mean, pca.mean_, rtol=0, atol=1e-12)
    assert np.allclose(own.values, pca.explained_variance_, rtol=1e-11)
    _, s, vh = np.linalg.svd(x.astype(float) - x.mean(axis=0, dtype=float), full_matrices=False)
    for variance in (0.5, 0.8, 0.9, 0.95, 0.99):
        k = int(np.argmax(np.cumsum(s**2) >= variance * np.sum(s**2))) + 1
        assert own.k(variance) == k
        assert subspace_angles(own.basis(variance), pca.components_[:k].T).max() < 1e-7
        assert subspace_angles(own.basis(variance), vh[:k].T).max() < 1e-7
        assert np.allclose(own.basis(variance) @ own.basis(variance).T, vh[:k].T @ vh[:k], atol=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_k_is_too_low_where_tokens_are_few(seed):
    """A power law in 768 dimensions of which 328 hold 90 %: the shape of which geometry.md's table was simulated."""
    values = np.arange(1, 769) ** -1.05
    draw, truth = np.random.default_rng(seed), Subspace(0, np.zeros(768), values, np.eye(768)).k()
    assert truth == 328
    found = {}
    for n in (1024, 4096, 8192):
        x = draw.normal(size=(n, 768)) * np.sqrt(values)
        found[n] = Subspace.of(Moments.of(x)).k()
    assert all(abs(found[n] - k) <= 4 for n, k in ((1024, 222), (4096, 294), (8192, 309))), found
    assert [round(100 * (1 - k / truth)) for k in found.values()] == pytest.approx([32, 10, 6], abs=1)  # as is said


def test_the_null_of_k():
    """Without any structure, nine tenths of the axes hold nine tenths, from many tokens."""
    x = np.random.default_rng(0).normal(size=(200_000, 40))
    assert Subspace.of(Moments.of(x)).k() in (36, 37)
