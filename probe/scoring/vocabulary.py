"""From hidden states at masked positions to what is kept of the vocabulary: a normaliser, an argmax, some logits."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

#: Vocabulary entries met at a time, and numbers held at a time: 16 MB of float32, near the processor's cache.
BLOCK, CELLS = 8192, 1 << 22


class Kept(NamedTuple):
    """For n positions: log-probabilities of u chosen tokens [n, u], the most probable token [n], and the log of the
    softmax's denominator [n]."""

    logprob: Tensor
    argmax: Tensor
    normaliser: Tensor


def reduce_blocks(states: Tensor, weight: Tensor, bias: Tensor | None, tokens: Tensor) -> Kept:
    """Log-softmax over the whole vocabulary at `tokens` [u] without ever holding the vocabulary's logits.

    `states` [n, d] are multiplied with `weight` [V, d] in blocks; a running maximum and a running sum of
    exponentials give the normaliser (Milakov & Gimelshein 2018, online softmax). Ties of the argmax: first id.
    """
    n, size = len(states), len(weight)
    block = max(1, min(BLOCK, CELLS // max(n, 1)))
    top = states.new_full((n,), -torch.inf)
    best = torch.zeros(n, dtype=torch.long, device=states.device)
    total = torch.zeros(n, device=states.device)
    for start in range(0, size, block):
        end = min(start + block, size)
        logits = linear(states, weight[start:end], None if bias is None else bias[start:end])
        high, place = logits.max(dim=1)
        better = high > top
        best = torch.where(better, place + start, best)
        new = torch.maximum(top, high)
        total = total * (top - new).float().exp() + logits.sub_(new[:, None]).exp_().sum(dim=1, dtype=torch.float32)
        top = new
    chosen = linear(states, weight[tokens], None if bias is None else bias[tokens])
    normaliser = top.float() + total.log()
    return Kept(chosen.float() - normaliser[:, None], best, normaliser)


def reduce_logits(logits: Tensor, tokens: Tensor) -> Kept:
    """The same from logits [n, V] that are there already."""
    logits = logits.float()
    normaliser = logits.logsumexp(dim=1)
    return Kept(logits[:, tokens] - normaliser[:, None], logits.argmax(dim=1), normaliser)
