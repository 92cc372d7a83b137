"""Erasing against the package of LEACE's authors, where it is installed (`pip install --no-deps concept-erasure`)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from probe.geometry.erasing import leace
from probe.geometry.moments import Moments


@pytest.mark.parametrize("apart", [0.0, 0.3, 2.0])
def test_the_map_of_concept_erasure(apart):
    concept_erasure = pytest.importorskip("concept_erasure")
    draw = np.random.default_rng(0)
    mix = draw.normal(size=(12, 12))
    groups = [draw.normal(size=(300, 12)) @ mix + apart * i * np.arange(12) for i in range(4)]
    x, z = torch.from_numpy(np.concatenate(groups)), torch.eye(4, dtype=torch.float64).repeat_interleave(300, dim=0)
    theirs = concept_erasure.LeaceFitter.fit(x, z, shrinkage=False, constrain_cov_trace=False, svd_tol=1e-9).eraser
    ours = leace([Moments.of(group) for group in groups]).on(torch.float64, "cpu")
    assert ours(x).sub(x).abs().max() > 1e-3
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-9, atol=1e-9)
