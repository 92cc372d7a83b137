"""One affine map for all interventions, and a model that runs with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from probe.geometry.layers import watching
from probe.geometry.spared import Spared


@dataclass(frozen=True, eq=False)
class AffineMap:
    """x → B Bᵀ (x − subtract) + add; without `keep`, what B spans is taken out: x → (I − B Bᵀ) (x − subtract) + add.

    basis : float64 [d, k], orthonormal columns; None, or k = d, is all of the space.
    subtract, add : float64 [d].

    Chang, Tu & Bergen (2022) are basis, subtract and add; LSAR (Xie et al. 2022) and concept erasure take out.
    """

    basis: np.ndarray | None
    subtract: np.ndarray
    add: np.ndarray
    keep: bool = True

    @property
    def rank(self) -> int:
        """Of the projection B Bᵀ or I − B Bᵀ."""
        d = len(self.add)
        k = d if self.basis is None else self.basis.shape[1]
        return k if self.keep else d - k

    @cached_property
    def offset(self) -> np.ndarray:
        """What is added to the projected x, float64 [d]: ``add`` − P ``subtract``."""
        if self.rank == len(self.add):
            return self.add - self.subtract
        inside = self.basis @ (self.basis.T @ self.subtract) if self.rank else np.zeros_like(self.add)
        return self.add - (inside if self.keep or not self.rank else self.subtract - inside)

    def on(self, dtype: torch.dtype, device: torch.device | str) -> Callable[[Tensor], Tensor]:
        """The map as a function of tensors [.., d] of `dtype`; half precision is left for the products.

        With all of the space and subtract = add it is *exactly* the identity. The low-rank or the dense product is
        taken, whichever has fewer operations.
        """
        d, exact = len(self.add), torch.promote_types(dtype, torch.float32)
        offset = torch.as_tensor(self.offset, dtype=exact, device=device)
        if self.rank == d:
            return (lambda x: x + offset.to(dtype)) if offset.any() else (lambda x: x)
        if self.rank == 0:
            return lambda x: offset.to(dtype).expand_as(x).contiguous()
        k = self.basis.shape[1]
        wide = torch.as_tensor(self.basis, dtype=exact, device=device) if 2 * k < d else None
        square = torch.as_tensor(self._projection(), dtype=exact, device=device) if wide is None else None

        def apply(x: Tensor) -> Tensor:
            rows = x.reshape(-1, d).to(exact)
            if square is not None:
                new = torch.addmm(offset, rows, square)
            elif self.keep:
                new = torch.addmm(offset, rows @ wide, wide.T)
            else:
                new = torch.addmm(rows + offset, rows @ wide, wide.T, alpha=-1)
            return new.to(dtype).reshape(x.shape)

        return apply

    def _projection(self) -> np.ndarray:
        """P, float64 [d, d]; it is symmetric."""
        inside = self.basis @ self.basis.T
        return inside if self.keep else np.eye(len(inside)) - inside


@contextmanager
def intervening(
    blocks: Sequence[nn.Module], layer: int, map: AffineMap, spared: Spared | None = None
) -> Iterator[None]:
    """Run the model with `map` applied at `layer`, to all states but those `spared`; several nest, the outer one first.

    Raises FactrootsError for a layer that the model does not have.
    """
    ready: dict[tuple[torch.dtype, torch.device], Callable[[Tensor], Tensor]] = {}

    def look(_: int, states: Tensor) -> Tensor:
        key = states.dtype, states.device
        if key not in ready:
            ready[key] = map.on(*key)
        return keep(states, ready[key](states))

    with spared.kept() if spared else nullcontext(_all) as keep, watching(blocks, look, [layer]):
        yield


def _all(_: Tensor, new: Tensor) -> Tensor:
    return new
