"""The layers of a model: where its blocks are, and a look at the states between them (or a hand on them).

Layer 0 is what enters the first block, layer l what leaves block l, before any norm that follows the last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from data_builders.errors import FactrootsError

#: Where architectures have their blocks ``*``, as module names end. Adding one is a line.
PATHS = (
    "encoder.layer.*",  # BERT, RoBERTa, XLM-R, ELECTRA, DeBERTa and kin
    "transformer.layer.*",  # DistilBERT
    "layers.*",  # Llama, Gemma, Qwen, Mistral, Cohere, GPT-NeoX, OPT, Phi, ModernBERT
    "h.*",  # GPT-2, GPT-Neo, BLOOM, Falcon
    "albert_layer_groups.*",  # one for all layers, mostly
)

#: Called with a layer's number and its states [rows, length, d]; what it returns goes on instead, unless that is None.
Look = Callable[[int, Tensor], Tensor | None]


def blocks(model: nn.Module, at: str | None = None) -> list[nn.Module]:
    """A model's blocks in order, found by :data:`PATHS`, or at the path `at` of the list that holds them.

    Raises FactrootsError where none of them leads there, and where a module is used as several layers.
    """
    config = model.config.get_text_config()
    found = _given(model, at) if at else _found(model, config.num_hidden_layers)
    if not found:
        raise FactrootsError(
            f"the layers of a {config.model_type} were not found; tried {', '.join(PATHS)}; say with --layers-at where "
            "its list of blocks is, as roberta.encoder.layer"
        )
    if len(found) != config.num_hidden_layers:
        modules = "1 module" if len(found) == 1 else f"{len(found)} modules"
        raise FactrootsError(
            f"a {config.model_type} has its {config.num_hidden_layers} layers in {modules} ({found[0][0]} first); a "
            "module that is used as several layers cannot be told apart; choose another --model or --layers-at"
        )
    return [module for _, module in found]


def _found(model: nn.Module, number: int) -> list[tuple[str, nn.Module]]:
    """Named blocks by the path that leads to as many as there are layers; if none does, by the first that leads."""
    named, fewer = dict(model.named_modules()), []
    for path in PATHS:
        shape = re.compile(r"(?:.+\.)?" + re.escape(path).replace(r"\*", r"(\d+)"))
        found = [(int(match[1]), name) for name in named if (match := shape.fullmatch(name))]
        if [i for i, _ in sorted(found)] == [*range(number)]:
            return [(name, named[name]) for _, name in sorted(found)]
        fewer = fewer or [(name, named[name]) for _, name in found if len(found) < number]
    return fewer


def _given(model: nn.Module, at: str) -> list[tuple[str, nn.Module]]:
    try:
        return [(f"{at}.{name}", module) for name, module in model.get_submodule(at).named_children()]
    except AttributeError as error:
        names = [name for name, module in model.named_modules() if isinstance(module, nn.ModuleList)]
        raise FactrootsError(
            f"--layers-at {at}: {error}; its lists of modules: {', '.join(names) or 'none'}"
        ) from error


def check_layer(blocks: Sequence[nn.Module], layer: int) -> None:
    """Raises FactrootsError for a layer that the model does not have."""
    if not 0 <= layer <= len(blocks):
        raise FactrootsError(f"there is no layer {layer}; --layers takes 0 (the embeddings) to {len(blocks)}")


@contextmanager
def watching(blocks: Sequence[nn.Module], look: Look, layers: Collection[int] | None = None) -> Iterator[None]:
    """Have `look` see the states at `layers` (all of 0..L, if None); whatever happens inside, no hook is left.

    Where several are nested at a layer, the outer one looks first. What transformers gives as ``hidden_states`` need
    not have what was put in their place, since its own hooks may come first. Raises FactrootsError for a layer that the
    model does not have.
    """
    layers = range(len(blocks) + 1) if layers is None else sorted(set(layers))
    handles = []
    try:
        for layer in layers:
            check_layer(blocks, layer)
            if layer:
                handles.append(blocks[layer - 1].register_forward_hook(_after(layer, look)))
            else:
                handles.append(blocks[0].register_forward_pre_hook(_before(look), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _after(layer: int, look: Look):
    def hook(_, __, output):
        """Blocks return their states, alone or first of several values."""
        if isinstance(output, Tensor):
            return look(layer, output)
        new = look(layer, output[0])
        return None if new is None else (new, *output[1:])

    return hook


def _before(look: Look):
    def hook(_, args: tuple, named: dict):
        new = look(0, args[0] if args else named["hidden_states"])
        if new is None:
            return None
        return ((new, *args[1:]), named) if args else (args, named | {"hidden_states": new})

    return hook
