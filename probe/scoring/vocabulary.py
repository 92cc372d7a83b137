"""From hidden states to what is kept of the vocabulary, whose logits are never all held: a normaliser, some logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

#: Vocabulary entries met at a time, and numbers held at a time: 16 MB of float32, near the processor's cache.
BLOCK, CELLS = 8192, 1 << 22
#: The logits [n, end - start] of the vocabulary's entries from start to end; the block may be used up.
Logits = Callable[[int, int], Tensor]


class Kept(NamedTuple):
    """For n positions: log-probabilities of u chosen tokens [n, u], the most probable token [n], and the log of the
    softmax's denominator [n]."""

    logprob: Tensor
    argmax: Tensor
    normaliser: Tensor


class Normaliser:
    """The log of the softmax's denominator of n states, from logits that come a block at a time.

    A running maximum and a running sum of exponentials (Milakov & Gimelshein 2018, online softmax). NaN where a logit
    is NaN or +inf; blocks that are all -inf do no harm.
    """

    def __init__(self, n: int, device):
        self._top = torch.full((n,), torch.finfo(torch.float32).min, device=device)
        self._total = torch.zeros(n, device=device)

    def add(self, logits: Tensor, high: Tensor) -> None:
        """Take in a block [n, b], which is used up, and its maxima [n]."""
        top = torch.maximum(self._top, high.float())
        new = logits.float().sub_(top[:, None]).exp_().sum(dim=1)
        self._total = self._total * (self._top - top).exp() + new
        self._top = top

    def value(self) -> Tensor:
        """float32 [n]."""
        return self._top + self._total.log()


def linear_blocks(states: Tensor, weight: Tensor, bias: Tensor | None) -> Logits:
    """The logits of `states` [n, d] under an output embedding [V, d]."""
    return lambda start, end: linear(states, weight[start:end], None if bias is None else bias[start:end])


def spans(n: int, size: int, cells: int = CELLS) -> list[tuple[int, int]]:
    """The vocabulary in blocks of which n states hold `cells` logits at most."""
    block = max(1, min(BLOCK, cells // max(n, 1)))
    return [(start, min(start + block, size)) for start in range(0, size, block)]


def reduce_blocks(states: Tensor, weight: Tensor, bias: Tensor | None, tokens: Tensor) -> Kept:
    """Log-softmax over the whole vocabulary at `tokens` [u] without ever holding the vocabulary's logits.

    Ties of the argmax: first id.
    """
    n, blocks = len(states), linear_blocks(states, weight, bias)
    top = states.new_full((n,), -torch.inf)
    best = torch.zeros(n, dtype=torch.long, device=states.device)
    normaliser = Normaliser(n, states.device)
    for start, end in spans(n, len(weight)):
        logits = blocks(start, end)
        high, place = logits.max(dim=1)
        best = torch.where(high > top, place + start, best)
        top = torch.maximum(top, high)
        normaliser.add(logits, high)
    chosen = linear(states, weight[tokens], None if bias is None else bias[tokens])
    return Kept(chosen.float() - normaliser.value()[:, None], best, normaliser.value())


def target_blocks(logits: Logits, n: int, size: int, place: Tensor, token: Tensor, cells: int = CELLS) -> Tensor:
    """float32 [e], log p(token[e] | state place[e]) of n states; one may be asked for several tokens, or for none.

    The targets' logits are read off the blocks that the normaliser is made of, so that no log-probability exceeds 0 by
    more than the rounding of a sum.
    """
    token, order = token.sort()
    place = place[order]
    found = torch.empty(len(token), device=token.device)
    normaliser, blocks = Normaliser(n, token.device), spans(n, size, cells)
    cuts = torch.searchsorted(
        token, torch.tensor([*(start for start, _ in blocks), size], device=token.device)
    ).tolist()
    for (start, end), first, last in zip(blocks, cuts[:-1], cuts[1:], strict=True):
        block = logits(start, end)
        found[order[first:last]] = block[place[first:last], token[first:last] - start].float()
        normaliser.add(block, block.amax(dim=1))
    found[order] -= normaliser.value()[place]
    return found


def reduce_logits(logits: Tensor, tokens: Tensor) -> Kept:
    """The same from logits [n, V] that are there already."""
    logits = logits.float()
    normaliser = logits.logsumexp(dim=1)
    return Kept(logits[:, tokens] - normaliser[:, None], logits.argmax(dim=1), normaliser)


def target_logits(logits: Tensor, place: Tensor, token: Tensor) -> Tensor:
    """As :func:`target_blocks`, from logits [n, V] that are there already."""
    logits = logits.float()
    return logits[place, token] - logits.logsumexp(dim=1)[place]
