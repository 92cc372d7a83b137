"""The invertible adapter of MAD-X: a coupling of the two halves of an embedding (NICE, Dinh et al. 2015)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from data_builders.errors import FactrootsError


class Nice(nn.Module):
    """y1 = x1 + F(x2), y2 = x2 + G(y1) for x [.., width], and its inverse.

    F and G have int(half // reduction) units (`adapters` 1.3.0, NICECouplingBlock). `act` makes their activation.
    Raises FactrootsError where that leaves none.
    """

    def __init__(self, width: int, reduction: float, act: Callable[[], nn.Module]):
        super().__init__()
        self.half = width // 2

        def net(reads: int, writes: int) -> nn.Sequential:
            if not (units := int(reads // reduction)):
                raise FactrootsError(
                    f"invertible={reduction:g} leaves nothing of {reads} numbers; choose a smaller one"
                )
            return nn.Sequential(nn.Linear(reads, units), act(), nn.Linear(units, writes))

        self.f, self.g = net(width - self.half, self.half), net(self.half, width - self.half)

    def forward(self, x: Tensor) -> Tensor:
        x1, x2 = x[..., : self.half], x[..., self.half :]
        y1 = x1 + self.f(x2)
        return torch.cat((y1, x2 + self.g(y1)), -1)

    def inverse(self, y: Tensor) -> Tensor:
        y1, y2 = y[..., : self.half], y[..., self.half :]
        x2 = y2 - self.g(y1)
        return torch.cat((y1 - self.f(x2), x2), -1)

    def at_embeddings(self, _module, _args, embedded: Tensor) -> Tensor:
        """The hook at the embeddings."""
        return self(embedded)

    def before_vocabulary(self, _module, _args, states: Tensor) -> Tensor:
        """The hook at what the vocabulary head multiplies."""
        return self.inverse(states)
