"""Taking out of states whatever says linearly which language they are of: LEACE, from means and covariances alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from probe.geometry.moments import Moments
from probe.geometry.whitening import whitening

#: Singular values below this share of the largest are rounding's, not directions in which languages' means differ.
_NONE = 1e-9


@dataclass(frozen=True, eq=False)
class Eraser:
    """x → x − A Cᵀ (x − mean), an oblique projection, applied as :class:`probe.geometry.affine.AffineMap` is.

    out, read : A and C, float64 [d, k]; mean : float64 [d].
    """

    out: np.ndarray
    read: np.ndarray
    mean: np.ndarray

    def on(self, dtype: torch.dtype, device: torch.device | str) -> Callable[[Tensor], Tensor]:
        """The map as a function of tensors [.., d] of `dtype`; half precision is left for the products."""
        exact = torch.promote_types(dtype, torch.float32)
        offset = self.out @ (self.read.T @ self.mean)
        out, read, offset = (
            torch.as_tensor(part, dtype=exact, device=device) for part in (self.out, self.read, offset)
        )

        def apply(x: Tensor) -> Tensor:
            rows = x.reshape(-1, len(offset)).to(exact)
            new = torch.addmm(rows + offset, rows @ read, out.T, alpha=-1)
            return new.to(dtype).reshape(x.shape)

        return apply


def leace(groups: Sequence[Moments]) -> Eraser:
    """The least change after which no linear classifier tells the groups apart, all of them counting alike.

    Theorem 4.3 of Belrose et al. (2023, LEACE): with W W the inverse of the covariance and U a basis of W Σxz, what is
    taken out of x is W⁻¹ U Uᵀ W (x − mean). Any W with WᵀW that inverse gives the same map; this one leaves out
    directions that hold nothing but rounding. The map is of no language, so it needs none to be known.
    """
    means, covariances = [one.mean for one in groups], [one.scatter / one.n for one in groups]
    center = np.mean(means, axis=0)
    apart = (np.stack(means) - center).T / len(means)  # Σxz, as z says which group: [d, groups]
    axes = whitening(means, covariances).axes
    u, s, _ = np.linalg.svd(axes.T @ apart, full_matrices=False)
    read = axes @ u[:, s > _NONE * s[0]]
    total = np.mean(covariances, axis=0) + apart @ apart.T * len(means)
    return Eraser(total @ read, read, center)
