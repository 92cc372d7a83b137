"""Discriminants from moments against scikit-learn's from the vectors themselves, and Gram-Schmidt by its loop."""

from __future__ import annotations

import numpy as np
import pytest

from probe.geometry.classes import Classes
from probe.geometry.discriminants import discriminants, held

LDA = pytest.importorskip("sklearn.discriminant_analysis").LinearDiscriminantAnalysis


def sample(unequal: bool) -> tuple[np.ndarray, np.ndarray, Classes]:
    """Vectors [3000, 20] of five classes, far from zero and stretched, in three batches; a sixth class has none."""
    generator, d = np.random.default_rng(0), 20
    which = generator.choice(5, size=3_000, p=[0.5, 0.2, 0.15, 0.1, 0.05] if unequal else None)
    vectors = (generator.normal(size=(5, d))[which] + generator.normal(size=(3_000, d))) @ generator.normal(size=(d, d))
    vectors += 100
    classes = Classes.zero(tuple("abcdef"), d)
    for part in np.array_split(np.arange(3_000), 3):
        classes = classes.plus(vectors[part], which[part])
    return vectors, which, classes


@pytest.mark.parametrize("unequal", [False, True])
def test_discriminants(unequal):
    vectors, which, classes = sample(unequal)
    found, theirs = discriminants(classes), LDA(solver="eigen").fit(vectors, which)
    assert np.abs(found.directions / theirs.scalings_[:, :4]) == pytest.approx(np.ones((20, 4)), abs=1e-8)
    assert found.values / found.values.sum() == pytest.approx(theirs.explained_variance_ratio_, abs=1e-12)
    ratio = found.directions / LDA(solver="svd").fit(vectors, which).scalings_
    assert ratio == pytest.approx(np.tile(ratio[:1], (20, 1)), rel=1e-8)


def test_gram_schmidt():
    found = discriminants(sample(True)[2])
    axes = []
    for direction in found.directions.T:
        rest = direction - sum((q * (q @ direction) for q in axes), np.zeros(20))
        axes.append(rest / np.linalg.norm(rest))
    assert found.orthonormal == pytest.approx(np.stack(axes, axis=1), abs=1e-9)


def test_what_axes_hold():
    """From the projected vectors: their variance, and that of each one's class's mean."""
    vectors, which, classes = sample(True)
    axes = discriminants(classes).orthonormal
    means = np.stack([vectors[which == c].mean(axis=0) for c in range(5)])[which]
    along, between = (vectors @ axes).var(axis=0), (means @ axes).var(axis=0)
    found = held(axes, classes)
    assert found.of_total == pytest.approx(along / vectors.var(axis=0).sum())
    assert found.of_between == pytest.approx(between / means.var(axis=0).sum())
    assert found.explained == pytest.approx(between / along)
