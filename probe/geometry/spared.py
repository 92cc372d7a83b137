"""Which places of what a model reads are special tokens, whose states an intervention can leave as they are.

What no fit counted has no place in a subspace, and the state of a first token may be one that all others attend to
(Xiao et al. 2024, "attention sinks"): moving it breaks more than languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from fine_tuning.models import Loaded
from probe.geometry.text import special_ids


class Spared:
    """A model's special tokens but its mask, which stands for text."""

    def __init__(self, loaded: Loaded):
        ids = set(special_ids(loaded.tokenizer).tolist()) - {loaded.tokenizer.mask_token_id}
        self.ids = torch.tensor(sorted(ids), device=loaded.model.device)
        self.embeddings = loaded.model.get_input_embeddings()

    @contextmanager
    def kept(self) -> Iterator[Callable[[Tensor, Tensor], Tensor]]:
        """A function of states [r, length, d] and of what they are made into, which keeps the former at special tokens.

        The tokens are those that the model's embeddings were last asked for.
        """
        last: list[Tensor] = []
        handle = self.embeddings.register_forward_pre_hook(lambda _, args: last.__setitem__(slice(None), args[:1]))
        try:
            yield lambda states, new: torch.where(torch.isin(last[0], self.ids)[..., None], states, new)
        finally:
            handle.remove()
