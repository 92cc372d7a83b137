"""A causal LM's head, which meets the vocabulary a block at a time and only at the places where it must.

What a model does to its logits after the output embedding (Gemma's soft capping, Cohere's and Granite's scale) is its
own forward pass's: that is run with its body replaced by one that hands through hidden states, and its output
embedding by a block of it. Whether this gives the model's own logits has to be tried; where not, it is run whole.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from probe.scoring.head import Halves
from probe.scoring.vocabulary import target_blocks

#: Logits held at a time on a processor, 4 MB of float32, and elsewhere. More is slower: larger pieces of memory are
#: fetched from the system and given back each time.
CELLS, CELLS_ELSEWHERE = 1 << 20, 1 << 24


class Blocks:
    """`states` gives what the output embedding sees; `logits` a block of logits of some of them.

    `size` is that of the vocabulary. Raises ValueError when the model has no plain output embedding.
    """

    def __init__(self, model: nn.Module):
        halves = Halves(model)
        decoder = model.get_output_embeddings()
        path = next(name for name, module in model.named_modules() if module is decoder)
        self.body, self.size, self.block = halves.encoder, len(halves.weight), _Block(halves.weight, halves.bias)
        self.top = halves.top  # a copy of the model down to what is replaced here
        self.top.set_submodule(model.base_model_prefix, _HandThrough(halves.encoder))
        self.top.set_submodule(path, self.block)

    def states(self, **inputs: Tensor) -> Tensor:
        return self.body(**inputs, use_cache=False)[0]

    def logits(self, states: Tensor, start: int, end: int) -> Tensor:
        self.block.span = slice(start, end)
        return self.top(inputs_embeds=states[None]).logits[0]


class Whole:
    """The same of a model that cannot be cut: its states are its logits."""

    def __init__(self, model: nn.Module):
        self.model, self.size = model, model.config.get_text_config().vocab_size

    def states(self, **inputs: Tensor) -> Tensor:
        return self.model(**inputs, use_cache=False).logits

    def logits(self, states: Tensor, start: int, end: int) -> Tensor:
        return states[:, start:end]


class _Block(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self.whole, self.span = (weight, bias), slice(None)  # a tuple, so that nothing is registered twice

    @property
    def weight(self) -> Tensor:  # Mamba asks for its type
        return self.whole[0]

    def forward(self, states: Tensor) -> Tensor:
        return linear(states, *(None if part is None else part[self.span] for part in self.whole))


class _HandThrough(nn.Module):
    """Stands where the body stood and returns the hidden states it is given; all else one may ask the body."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = (body,)  # a tuple, as above

    def __getattr__(self, name: str):
        return getattr(self.body[0], name)

    @property
    def decoder(self) -> _HandThrough:  # OPT calls its body's only child
        return self

    def forward(self, *_, inputs_embeds: Tensor | None = None, **__) -> _Outputs:
        return _Outputs((inputs_embeds,))


class _Outputs(tuple):
    """Hidden states as a body returns them; caches, attentions and what else a head passes on are None."""

    def __getattr__(self, name: str) -> Tensor | None:
        return self[0] if name == "last_hidden_state" else None


def logprobs(head: Blocks | Whole, states: Tensor, place: np.ndarray, token: np.ndarray) -> np.ndarray:
    """log p(token[e] | states[place[e]]), float32 [e], of `states` [n, d], which are used up.

    NaN where a logit of that state is NaN or +inf.
    """
    cells = CELLS if states.device.type == "cpu" else CELLS_ELSEWHERE
    place, token = (torch.from_numpy(part).to(states.device) for part in (place, token))
    logits = partial(head.logits, states)
    return target_blocks(logits, len(states), head.size, place, token, cells).cpu().numpy()
