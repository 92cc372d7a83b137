"""A masked LM cut in two, so that only the masked positions ever meet the vocabulary.

The cut is made without knowing the architecture: the model's own forward pass is run with its encoder replaced by
one that hands through hidden states, and its decoder by one that does nothing. Whether the two halves together
still are the model is then tried once on a small input; where they are not, the model is run whole.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput


class _HandThrough(nn.Module):
    """Stands where the encoder stood and returns the hidden states it is given."""

    def forward(self, *_, inputs_embeds=None, **__):
        return BaseModelOutput(last_hidden_state=inputs_embeds)


class Halves(nn.Module):
    """`encode` gives hidden states; `transform` what the decoder sees of some of them; `weight`, `bias` the decoder.

    Raises ValueError when the model cannot be cut so.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        decoder = model.get_output_embeddings()
        path = next((name for name, module in model.named_modules() if module is decoder), None)
        if path is None or not isinstance(decoder, nn.Linear):
            raise ValueError("the model has no plain output embedding")
        self.encoder, self.weight, self.bias = model.base_model, decoder.weight, decoder.bias
        self.top = _with(_with(model, model.base_model_prefix, _HandThrough()), path, nn.Identity())

    def encode(self, ids: Tensor, attention: Tensor | None) -> Tensor:
        """Token ids [batch, length] to hidden states [batch, length, d]."""
        return self.encoder(input_ids=ids, attention_mask=attention)[0]

    def transform(self, hidden: Tensor) -> Tensor:
        """Hidden states [n, d] to what the decoder multiplies [n, e]."""
        return self.top(inputs_embeds=hidden[None]).logits[0]


def cut(model: nn.Module, mask_id: int) -> Halves | None:
    """The model's halves, or None when they would not give the model's own logits."""
    ids = torch.tensor([[mask_id, 0, mask_id]], device=model.device)
    whole = model(input_ids=ids).logits[0]
    try:
        halves = Halves(model)
        logits = nn.functional.linear(halves.transform(halves.encode(ids, None)[0]), halves.weight, halves.bias)
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
    return halves if _same(logits, whole) else None


def ignores_padding(model: nn.Module, mask_id: int, pad_id: int) -> bool:
    """Whether padding leaves the other positions' logits alone: FNet, ConvBERT and Nyströmformer let it through."""
    ids = torch.tensor([[mask_id, 0, mask_id, pad_id, pad_id]], device=model.device)
    alone = model(input_ids=ids[:, :3]).logits
    padded = model(input_ids=ids, attention_mask=torch.tensor([[1, 1, 1, 0, 0]], device=model.device)).logits[:, :3]
    return _same(padded, alone)


def _same(ours: Tensor, whole: Tensor) -> bool:
    """Equal but for rounding, on the scale of the logits and in the precision of their type."""
    precision = max(1e-3, 8 * torch.finfo(whole.dtype).eps)
    return ours.shape == whole.shape and bool((ours - whole).abs().max() <= precision * whole.abs().max())


def _with(module: nn.Module, path: str, new: nn.Module) -> nn.Module:
    """A shallow copy of `module` in which the module at `path` is `new`; the original is left as it is."""
    name, _, rest = path.partition(".")
    clone = copy.copy(module)
    clone._modules = dict(module._modules)
    clone._modules[name] = _with(module._modules[name], rest, new) if rest else new
    return clone
