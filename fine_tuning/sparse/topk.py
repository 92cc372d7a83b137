"""The K largest entries of many tensors together, exactly, though the tensors are never held side by side.

A radix select over the bits of float32, whose order is that of the magnitudes: one pass counts the upper halves of the
bits, one the lower halves of those that share the K-th largest's upper half, and one makes the masks. Chunks of scores
are made anew in each pass, so that the masks are all that is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from data_builders.errors import FactrootsError

#: ``scores(name, at)``: float32 [n], the scores of the entries `at` of the flat tensor `name`, compared by magnitude.
Scores = Callable[[str, slice], Tensor]
Shapes = Mapping[str, tuple[int, ...]]

CHUNK = 2**21
_INFINITE = 0x7F800000


class Cut(NamedTuple):
    """The magnitude at some rank from above, as the bits of a float32; how many are above it, and how many equal."""

    bits: int
    above: int
    equal: int


def top(shapes: Shapes, scores: Scores, k: int) -> dict[str, Tensor]:
    """Masks (bool, of `shapes`) over the `k` entries whose scores are greatest by magnitude.

    Of equal ones the first are taken, in the order of `shapes` and of their rows. Scores of zero are never taken: where
    fewer than `k` are not zero, so many. Raises FactrootsError for a score that is not finite.
    """
    masks = {name: torch.zeros(shape, dtype=torch.bool) for name, shape in shapes.items()}
    where = cut(shapes, scores, k, zeros=False)
    if where is None:
        return masks
    ties = min(k - where.above, where.equal)
    for name, at in _chunks(shapes):
        bits = _bits(scores(name, at))
        taken = bits > where.bits
        if ties:
            first = (bits == where.bits).nonzero()[:ties, 0]
            taken[first] = True
            ties -= len(first)
        masks[name].view(-1)[at] = taken
    return masks


def at_least(shapes: Shapes, scores: Scores, rank: int) -> dict[str, Tensor]:
    """Masks over the entries whose score is at least the `rank`-th greatest: all that equal it, zeros too."""
    where = cut(shapes, scores, rank)
    masks = {name: torch.zeros(shape, dtype=torch.bool) for name, shape in shapes.items()}
    for name, at in _chunks(shapes) if where else ():
        masks[name].view(-1)[at] = _bits(scores(name, at)) >= where.bits
    return masks


def cut(shapes: Shapes, scores: Scores, rank: int, zeros: bool = True) -> Cut | None:
    """The magnitude at `rank` (1 is the greatest; no lower than there are, of those that are not zero unless `zeros`).

    None where `rank` is 0 or there is nothing to rank. Raises FactrootsError for a score that is not finite.
    """
    upper, none = torch.zeros(2**15, dtype=torch.long), 0
    for name, at in _chunks(shapes):
        bits = _bits(scores(name, at))
        upper += _counts(bits >> 16, 2**15)
        none += len(bits) - int(bits.count_nonzero())
    if upper[_INFINITE >> 16 :].any():
        raise FactrootsError("the numbers that a mask is chosen by are not all finite; train at a lower --rate")
    if not zeros:
        upper[0] -= none
    rank = min(rank, int(upper.sum()))
    if rank < 1:
        return None
    high, above = _bin(upper, rank)
    lower = torch.zeros(2**16, dtype=torch.long)
    for name, at in _chunks(shapes):
        bits = _bits(scores(name, at))
        lower += _counts(bits[bits >> 16 == high] & 0xFFFF, 2**16)
    if not zeros and high == 0:
        lower[0] = 0
    low, between = _bin(lower, rank - above)
    return Cut(high << 16 | low, above + between, int(lower[low]))


def _bin(counts: Tensor, rank: int) -> tuple[int, int]:
    """The bin that holds the `rank`-th from above, and how many are in the bins above it."""
    from_above = counts.flip(0).cumsum(0)
    at = int(torch.searchsorted(from_above, rank))
    return len(counts) - 1 - at, int(from_above[at - 1]) if at else 0


def _counts(bins: Tensor, size: int) -> Tensor:
    return torch.bincount(bins, minlength=size).cpu()


def _bits(scores: Tensor) -> Tensor:
    """The bits without the sign."""
    return scores.contiguous().view(torch.int32) & 0x7FFFFFFF


def _chunks(shapes: Shapes) -> Iterator[tuple[str, slice]]:
    for name, shape in shapes.items():
        size = torch.Size(shape).numel()
        for start in range(0, size, CHUNK):
            yield name, slice(start, min(start + CHUNK, size))
