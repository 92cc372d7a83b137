"""The feed-forward neurons of a model: where they are, and a look at them (or a hand on them) while it runs.

A neuron is one number of what the second linear layer of a feed-forward block reads, after the activation function
(and, in gated blocks, the gate): ``acts`` of Antverg & Belinkov (2022), the *knowledge neurons* of Dai et al. (2022).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from torch import Tensor, nn

from data_builders.errors import FactrootsError

#: Where architectures have the second linear layer of block ``*``, as module names end. Adding one is a line.
PATHS = (
    "layer.*.output.dense",  # BERT, RoBERTa, XLM-R, ELECTRA, DeBERTa and kin
    "layer.*.ffn.lin2",  # DistilBERT
    "ffns.*.lin2",  # XLM, FlauBERT
    "layers.*.mlp.Wo",  # ModernBERT
    "layers.*.mlp.down_proj",  # Llama, Gemma, Qwen, Mistral, Cohere, Granite
    "h.*.mlp.c_proj",  # GPT-2, GPT-Neo
    "h.*.mlp.dense_4h_to_h",  # BLOOM, Falcon
    "layers.*.mlp.dense_4h_to_h",  # GPT-NeoX
    "layers.*.mlp.fc2",  # Phi
    "layers.*.fc2",  # OPT
)

#: Called with a layer's number and what its second linear layer is to read [rows, length, width]; what it returns is
#: read instead, unless that is None.
Look = Callable[[int, Tensor], Tensor | None]


class FeedForward(NamedTuple):
    """The second linear layers of a model's blocks, and how many neurons each reads.

    Neurons are numbered through: those of the first layer, then those of the second, ..
    """

    layers: tuple[nn.Module, ...]
    widths: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.widths)


def feed_forward(model: nn.Module) -> FeedForward:
    """Find a model's feed-forward blocks by :data:`PATHS`; raises FactrootsError where none of them leads there."""
    config = model.config.get_text_config()
    if getattr(config, "chunk_size_feed_forward", 0):
        raise FactrootsError(
            f"a {config.model_type} with chunk_size_feed_forward {config.chunk_size_feed_forward} reads its neurons in "
            "pieces; set it to 0 in config.json"
        )
    named = dict(model.named_modules())
    for path in PATHS:
        shape = re.compile(r"(?:.+\.)?" + re.escape(path).replace(r"\*", r"(\d+)"))
        found = [(int(match[1]), module) for name, module in named.items() if (match := shape.fullmatch(name))]
        found.sort(key=lambda pair: pair[0])
        if found and [number for number, _ in found] == [*range(config.num_hidden_layers)]:
            layers = tuple(module for _, module in found)
            return FeedForward(layers, tuple(map(_width, layers)))
    raise FactrootsError(
        f"the feed-forward layers of a {config.model_type} were not found; tried {', '.join(PATHS)} "
        f"for all of 0..{config.num_hidden_layers - 1}; add its path to PATHS in probe/tracing/neurons/hooks.py"
    )


def _width(layer: nn.Module) -> int:
    """How many numbers a layer reads; GPT-2's kind of linear layer holds its weight the other way round."""
    return layer.in_features if hasattr(layer, "in_features") else layer.weight.shape[0]


@contextmanager
def watching(found: FeedForward, look: Look) -> Iterator[None]:
    """Have `look` see what every layer reads; whatever happens inside, nothing is left on the model."""
    handles = []
    try:
        for number, layer in enumerate(found.layers):
            handles.append(layer.register_forward_pre_hook(_hook(number, look)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(number: int, look: Look):
    def hook(_, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        new = look(number, args[0])
        return None if new is None else (new, *args[1:])

    return hook
