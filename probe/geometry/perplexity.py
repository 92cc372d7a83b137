"""How well a model says what it is asked, as it is and with an intervention: one pass, few of whose places ever meet
the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fine_tuning.models import Loaded
from probe.geometry.affine import intervening
from probe.geometry.body import Body
from probe.geometry.layers import watching
from probe.geometry.masks import Asking
from probe.geometry.resuming import Resuming
from probe.geometry.spared import Spared
from probe.scoring.causal import CausalScorer
from probe.scoring.head import cut
from probe.scoring.runs import halved
from probe.scoring.vocabulary import Logits, Normaliser, linear_blocks, spans


class Head(NamedTuple):
    """A model in two: token ids [r, length] to states [r, length, d], and some states [e, d] to logits, block by block.

    size : of the vocabulary.
    """

    states: Callable[[Tensor], Tensor]
    logits: Callable[[Tensor], Logits]
    size: int


def _masked(loaded: Loaded) -> Head:
    model = loaded.model
    with torch.inference_mode():
        halves = cut(model, loaded.tokenizer.mask_token_id)
    if halves is None:  # its states are its logits
        size = model.config.get_text_config().vocab_size
        return Head(lambda ids: model(input_ids=ids).logits, lambda states: lambda a, b: states[:, a:b], size)
    logits = lambda states: linear_blocks(halves.transform(states), halves.weight, halves.bias)  # noqa: E731
    return Head(lambda ids: halves.encode(ids, None), logits, len(halves.weight))


def _causal(loaded: Loaded) -> Head:
    head = CausalScorer(loaded.model, loaded.tokenizer).model.head
    return Head(lambda ids: head.states(input_ids=ids), lambda states: partial(head.logits, states), head.size)


#: By family. Both have been tried to give the model's own logits.
HEADS = {"masked": _masked, "causal": _causal}


class Said(NamedTuple):
    """What is said of each of e things asked: −log p of what should be said, float64 [e], and what is said, int64 [e].

    The former is not finite where a logit is not.
    """

    nll: np.ndarray
    predicted: np.ndarray


class Meter:
    """Asks a model, plainly and under interventions; what does not fit into memory is halved.

    `ids` int [length] is a sequence to try on it whether blocks can be left out. Interventions move the states of
    special tokens too, unless `specials` is false.
    """

    def __init__(self, body: Body, ids: np.ndarray, specials: bool = True):
        self.body, self.head = body, HEADS[body.loaded.family](body.loaded)
        self.spared = None if specials else Spared(body.loaded)
        self.resuming = Resuming(body.blocks, self.head.states, self._tensor(ids[None].astype(np.int64)))

    @torch.inference_mode()
    def plain(self, asking: Asking, layers: Collection[int]) -> tuple[Said, dict[int, Tensor]]:
        """What the model says as it is, and its states [r, length, d] at `layers`."""

        def some(rows: range) -> tuple[Said, dict[int, Tensor]]:
            part, kept = asking.part(rows), {}
            with watching(self.body.blocks, kept.__setitem__, layers):
                return self._said(part), kept

        said, kept = zip(*halved(some, range(len(asking.ids))), strict=True)
        return _joined(said), {layer: torch.cat([one[layer] for one in kept]) for layer in kept[0]}

    @torch.inference_mode()
    def under(self, asking: Asking, layer: int, map, states: dict[int, Tensor]) -> Said:
        """What it says with `map` (of :mod:`.affine`) applied at `layer`; `states` are those of the plain pass."""

        def some(rows: range) -> Said:
            own = states[layer][rows.start : rows.stop]
            with intervening(self.body.blocks, layer, map, self.spared), self.resuming.at(layer, own):
                return self._said(asking.part(rows))

        return _joined(halved(some, range(len(asking.ids))))

    def _said(self, asking: Asking) -> Said:
        states = self.head.states(self._tensor(asking.ids))
        row, column, targets = (self._tensor(part) for part in (asking.row, asking.column, asking.targets))
        nll, predicted = judged(self.head.logits(states[row, column]), self.head.size, targets)
        return Said(nll.double().cpu().numpy(), predicted.cpu().numpy())

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.body.loaded.model.device)


def _joined(parts: Sequence[Said]) -> Said:
    return Said(*map(np.concatenate, zip(*parts, strict=True)))


def judged(logits: Logits, size: int, targets: Tensor) -> tuple[Tensor, Tensor]:
    """−log p of the targets [e], float32, and the most probable tokens [e] (of equal ones the first).

    The vocabulary's logits are never all held (:mod:`probe.scoring.vocabulary`).
    """
    n, device = len(targets), targets.device
    normaliser, chosen = Normaliser(n, device), torch.zeros(n, device=device)
    top, best = torch.full((n,), -torch.inf, device=device), torch.zeros(n, dtype=torch.long, device=device)
    for start, end in spans(n, size):
        block = logits(start, end)
        high, place = block.max(dim=1)
        best = torch.where(high > top, place + start, best)
        top = torch.maximum(top, high.float())
        inside = (targets >= start) & (targets < end)
        own = block.gather(1, (targets - start).clamp(0, end - start - 1)[:, None])[:, 0].float()
        chosen = torch.where(inside, own, chosen)
        normaliser.add(block, high)  # which uses the block up
    return normaliser.value() - chosen, best
