"""Ways to choose which K entries of a model are fine-tuned. Adding one is a function and a line in :data:`MASKS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from fine_tuning.sparse.scope import Scope
from fine_tuning.sparse.seeds import seed_of
from fine_tuning.sparse.topk import Scores, top

Masks = dict[str, Tensor]


class Ground(NamedTuple):
    """What a mask is chosen by.

    scope : the parameters as they are now, θ¹ where the mask asks for a first training. start : θ⁰ by the same names.
    taken : masks of entries that are not to be chosen again. seed : of :func:`random`. keep : of :func:`deftx`.
    squares : makes the mean squared gradients at θ⁰, of :func:`fisher`.
    """

    scope: Scope
    start: Mapping[str, Tensor]
    taken: Mapping[str, Tensor]
    seed: int
    keep: float
    squares: Callable[[], Mapping[str, Tensor]]

    def top(self, scores: Scores, k: int, names=None) -> Masks:
        """The `k` entries (of the tensors `names`) that score highest among those not taken yet."""
        shapes = {n: tuple(p.shape) for n, p in self.scope.body.items() if names is None or n in names}
        return top(shapes, lambda name, at: self._free(scores, name, at), k)

    def _free(self, scores: Scores, name: str, at: slice) -> Tensor:
        made = scores(name, at)
        return made.masked_fill(self.taken[name].view(-1)[at].to(made.device), 0) if name in self.taken else made

    def changed(self, name: str, at: slice) -> Tensor:
        """θ¹ − θ⁰."""
        return self.scope.body[name].detach().view(-1)[at] - self.start[name].view(-1)[at]


def change(ground: Ground, k: int) -> Masks:
    """Those that a training of all moved farthest, |θ¹ − θ⁰|: LT-SFT (Ansell et al. 2022)."""
    return ground.top(ground.changed, k)


def per_layer(ground: Ground, k: int) -> Masks:
    """As ``change``, but each tensor gives the same share of its entries; what rounding leaves over goes to the
    tensors that lost most by it."""
    body = ground.scope.body
    exact = {name: k * p.numel() / ground.scope.size for name, p in body.items()}
    shares = {name: int(share) for name, share in exact.items()}
    for name in sorted(exact, key=lambda n: shares[n] - exact[n])[: k - sum(shares.values())]:
        shares[name] += 1
    return {name: ground.top(ground.changed, share, {name})[name] for name, share in shares.items()}


def lota(ground: Ground, k: int) -> Masks:
    """As ``change``, of the layers' matrices alone, no embeddings, biases or norms: LoTA (Panda et al. 2024)."""
    return ground.top(ground.changed, k, ground.scope.matrices)


def deftx(ground: Ground, k: int) -> Masks:
    """As ``change``, once each matrix of θ¹ − θ⁰ is brought to its leading singular values, which hold the share `keep`
    of its squares: after DeFT-X (Simon and Jyothi 2025, arXiv 2505.15090).

    The paper decomposes the differences and takes what lies beyond the leading values for noise. The rank and what it
    does to the noise were not to be had when this was written, nor its code; here the noise is dropped, and `keep` set.
    """
    whole = slice(None)
    clean = {
        name: low_rank(ground.changed(name, whole).view(p.shape), ground.keep).view(-1)
        for name, p in ground.scope.body.items()
        if p.dim() == 2
    }
    return ground.top(lambda name, at: clean[name][at] if name in clean else ground.changed(name, at), k)


def magnitude(ground: Ground, k: int) -> Masks:
    """The greatest weights, |θ⁰|."""
    return ground.top(lambda name, at: ground.start[name].view(-1)[at], k)


def random(ground: Ground, k: int) -> Masks:
    """Any, with equal chances: the null control."""
    names = list(ground.scope.body)

    def draw(name: str, at: slice) -> Tensor:
        generator = torch.Generator().manual_seed(seed_of(ground.seed, names.index(name), at.start))
        return 1 - torch.rand(at.stop - at.start, generator=generator)  # never 0, which is never chosen

    return ground.top(draw, k)


def fisher(ground: Ground, k: int) -> Masks:
    """Those on which the loss depends most: mean squared gradients, FISH mask (Sung et al. 2021)."""
    squares = ground.squares()
    return ground.top(lambda name, at: squares[name].view(-1)[at], k)


class Mask(NamedTuple):
    """``choose(ground, k)`` makes masks over at most `k` entries, of some or all tensors; ``trains``: it looks at θ¹,
    so that all has to be trained first."""

    choose: Callable[[Ground, int], Masks]
    trains: bool = False


MASKS = {
    "change": Mask(change, trains=True),
    "per-layer": Mask(per_layer, trains=True),
    "lota": Mask(lota, trains=True),
    "deftx": Mask(deftx, trains=True),
    "magnitude": Mask(magnitude),
    "random": Mask(random),
    "fisher": Mask(fisher),
}


def low_rank(matrix: Tensor, keep: float) -> Tensor:
    """The nearest matrix of the lowest rank that holds at least the share `keep` of the squares of `matrix` [m, n].

    From the eigenvectors of the smaller of its two Gram matrices, in float64, so that a vocabulary's is no trouble.
    """
    if matrix.shape[0] < matrix.shape[1]:
        return low_rank(matrix.T, keep).T.contiguous()
    gram = torch.zeros(matrix.shape[1], matrix.shape[1], dtype=torch.float64, device=matrix.device)
    for rows in matrix.split(2**14):
        gram.addmm_(rows.double().T, rows.double())
    squares, vectors = torch.linalg.eigh(gram)  # ascending
    held = squares.clamp(min=0).flip(0).cumsum(0)
    rank = int(torch.searchsorted(held, keep * held[-1])) + 1 if held[-1] > 0 else 0
    leading = vectors[:, len(squares) - min(rank, len(squares)) :]
    return torch.cat([(rows.double() @ leading @ leading.T).to(matrix.dtype) for rows in matrix.split(2**14)])
