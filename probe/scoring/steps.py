"""A sequence-to-sequence model in steps: the input once, then what is written, from as many branches as there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from data_builders.errors import FactrootsError
from probe.scoring.runs import padded


class Read(NamedTuple):
    """n inputs that have been read, and what has been written of each so far.

    hidden : [n, length, d] of the encoder; attention : int64 [n, length], None where nothing is padded; cache : keys
    and values of the decoder's layers, of what it has written and of what it looks at in the input.
    """

    hidden: Tensor
    attention: Tensor | None
    cache: EncoderDecoderCache

    def branches(self, which: Tensor) -> Read:
        """These inputs [m], some of them more than once, each to be gone on with on its own."""
        layers = zip(self.cache.self_attention_cache.layers, self.cache.cross_attention_cache.layers, strict=True)
        cache = EncoderDecoderCache([[part[which] for x in pair for part in (x.keys, x.values)] for pair in layers])
        return Read(self.hidden[which], None if self.attention is None else self.attention[which], cache)


class Steps:
    """Runs `model`; `weight` and `bias` make logits of the states that it gives.

    cells : numbers that the cache of one input holds for each of its tokens.

    Raises FactrootsError when what the model writes in steps is not what it writes at once (a router among experts may
    depend on the batch), which is tried on `trial`, four token ids.
    """

    def __init__(self, model, pad: int, trial: Sequence[int]):
        self.model, self.pad = model, pad
        decoder = model.get_output_embeddings()
        if not isinstance(decoder, nn.Linear):
            raise FactrootsError(f"model type {model.config.model_type} has no plain output embedding to score with")
        self.weight, self.bias, self._decoder = decoder.weight, decoder.bias, decoder
        try:
            same = self._try(trial)
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
            same = False
        if not same:
            raise FactrootsError(f"model type {model.config.model_type} does not write in steps as it does at once")

    def read(self, inputs: Sequence[Sequence[int]], begin: Sequence[int]) -> tuple[Read, Tensor]:
        """Read inputs and write `begin` for each; the states [n, len(begin), d] that the head makes logits of."""
        ids, attention = padded(inputs, self.pad, self.model.device)
        hidden = self.model.get_encoder()(input_ids=ids, attention_mask=attention)[0]
        cache, states = self._run(hidden, attention, self._tensor([begin]).expand(len(ids), -1), None)
        return Read(hidden, attention, cache), states

    def write(self, read: Read, tokens: Sequence[Sequence[int]]) -> Tensor:
        """Go on with each input; the states [n, longest, d]. Shorter rows are filled up, which none looks back at."""
        ids, _ = padded(tokens, self.pad, self.model.device)
        return self._run(read.hidden, read.attention, ids, read.cache)[1]

    def _run(self, hidden: Tensor, attention: Tensor | None, ids: Tensor, cache) -> tuple[EncoderDecoderCache, Tensor]:
        with _tapped(self._decoder) as states:
            outputs = self.model(
                encoder_outputs=BaseModelOutput(hidden),
                attention_mask=attention,
                decoder_input_ids=ids,
                past_key_values=cache,
                use_cache=True,
            )
        return outputs.past_key_values, states[0]

    def _try(self, trial: Sequence[int]) -> bool:
        """Whether two inputs, written in two steps with their branches swapped, have the logits of one pass."""
        a, b, c, d = trial
        whole = self.model(input_ids=self._tensor([[a, b, c]]), decoder_input_ids=self._tensor([[d, a, c, b]])).logits
        read, first = self.read([[a, b, c], [c]], [d, a])
        self.cells = sum(2 * layer.keys[0, :, 0].numel() for layer in read.cache.cross_attention_cache.layers)
        second = self.write(read.branches(self._tensor([1, 0])), [[a], [c, b]])
        logits = linear(torch.cat([first[:1], second[1:]], dim=1), self.weight, self.bias)
        precision = max(1e-3, 8 * torch.finfo(whole.dtype).eps)
        return not (logits - whole).abs().max() > precision * whole.abs().max()  # NaN is for asks to report

    def _tensor(self, ids: Sequence) -> Tensor:
        return torch.tensor(ids, dtype=torch.long, device=self.model.device)


@contextmanager
def _tapped(decoder: nn.Linear) -> Iterator[list[Tensor]]:
    """Keep what reaches the output embedding and let one position through, so that the vocabulary is hardly met.

    Whatever a model does to its states before (T5 scales them where input and output embedding are one) is done.
    """
    kept: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        kept.append(inputs[0])
        return (inputs[0][:1, :1],)

    handle = decoder.register_forward_pre_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
