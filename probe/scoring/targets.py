"""From hidden states to the log-probability of one token each, without ever holding the vocabulary's logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from probe.scoring.vocabulary import BLOCK, CELLS


def target_blocks(states: Tensor, weight: Tensor, bias: Tensor | None, place: Tensor, token: Tensor) -> Tensor:
    """float32 [e], log p(token[e] | states[place[e]]); a state may be asked for several tokens, or for none.

    As :func:`probe.scoring.vocabulary.reduce_blocks`, `states` [n, d] are multiplied with `weight` [V, d] in blocks
    under an online softmax (Milakov & Gimelshein 2018). The targets' logits are read off those same blocks, so that
    no log-probability exceeds 0 by more than the rounding of a sum. NaN where a state's logits hold NaN or +inf.
    """
    n, size = len(states), len(weight)
    block = max(1, min(BLOCK, CELLS // max(n, 1)))
    top = states.new_full((n,), -torch.inf)
    total = torch.zeros(n, device=states.device)
    found = torch.empty(len(token), device=states.device)
    token, order = token.sort()
    place = place[order]
    starts = torch.arange(0, size + block, block, device=token.device)
    cuts = torch.searchsorted(token, starts).tolist()
    for number, start in enumerate(range(0, size, block)):
        end = min(start + block, size)
        logits = linear(states, weight[start:end], None if bias is None else bias[start:end])
        here = slice(cuts[number], cuts[number + 1])
        found[order[here]] = logits[place[here], token[here] - start].float()
        new = torch.maximum(top, logits.amax(dim=1))
        total = total * (top - new).float().exp() + logits.sub_(new[:, None]).exp_().sum(dim=1, dtype=torch.float32)
        top = new
    normaliser = top.float() + total.log()
    found[order] -= normaliser[place]
    return found


def target_logits(logits: Tensor, place: Tensor, token: Tensor) -> Tensor:
    """The same from logits [n, V] that are there already."""
    logits = logits.float()
    return logits[place, token] - logits.logsumexp(dim=1)[place]
