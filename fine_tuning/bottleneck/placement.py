"""Putting adapters into an untouched model, by hooks, and taking them out again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from torch import Tensor, nn

from fine_tuning.bottleneck.architectures import architecture, layers, widths
from fine_tuning.bottleneck.config import PLACEMENTS, Config
from fine_tuning.bottleneck.modules import Bottleneck

#: The model's own child that holds what was put in, in order, so that it is moved, saved and trained with it.
HOLDER = "bottlenecks"


def installed(model: nn.Module) -> list[Bottleneck]:
    """What stands in a model, in order."""
    return list(getattr(model, HOLDER, ()))


def blank(model: nn.Module, config: Config, scale: float = 1.0) -> Bottleneck:
    """Adapters of the right sizes for `model`, without weights. Raises FactrootsError where they do not fit it."""
    return Bottleneck.blank(config, len(layers(model)), *widths(model), scale)


def install(model: nn.Module, made: Bottleneck) -> Callable[[], None]:
    """Put adapters in, on top of those that are there; what is returned takes them out.

    Of several with an invertible part only the first one's is used, as in `adapters`: ``made.inverts`` says whether
    it is this one's. After an exception nothing is left. Raises FactrootsError for an unknown architecture.
    """
    shape, beneath = architecture(model.config.model_type), installed(model)
    placement = PLACEMENTS[made.config.placement]
    made.to(model.device, model.dtype).train(model.training)
    made.inverts = bool(made.config.invertible) and not any(other.inverts for other in beneath)
    with ExitStack() as undo:
        _hold(model, made, undo)
        for number, (_, layer) in enumerate(layers(model)):
            for block in placement.blocks:
                adapters = getattr(made, block)
                if str(number) not in adapters:
                    continue
                at = getattr(shape, block)
                stacked = any(str(number) in getattr(other, block, ()) for other in beneath)
                alone = made.config.residual == "paper" and stacked
                norm = layer.get_submodule(at.norm) if at.norm else None
                place = Place(adapters[str(number)], norm, placement.normed and not alone)
                out = layer.get_submodule(at.out)
                if place.normed:
                    before = layer.get_submodule(at.residual).register_forward_pre_hook(place.see_residual)
                    undo.callback(before.remove)
                if alone:
                    undo.callback(out.register_forward_hook(place.see_output, prepend=True).remove)
                undo.callback(out.register_forward_hook(place.adapt).remove)
        if made.inverts:
            embeddings, top = model.get_submodule(shape.embeddings), model.get_submodule(shape.top)
            undo.callback(embeddings.register_forward_hook(made.nice.at_embeddings).remove)
            undo.callback(top.register_forward_hook(made.nice.before_vocabulary).remove)
        return undo.pop_all().close


def _hold(model: nn.Module, made: Bottleneck, undo: ExitStack) -> None:
    if not hasattr(model, HOLDER):
        model.add_module(HOLDER, nn.ModuleList())
    holder = getattr(model, HOLDER)
    holder.append(made)

    def let_go() -> None:
        del holder[next(n for n, other in enumerate(holder) if other is made)]
        if not len(holder):
            delattr(model, HOLDER)

    undo.callback(let_go)


class Place:
    """An adapter after one sub-block. Its methods are the hooks, so that a copied model has hooks of its own."""

    def __init__(self, adapter: nn.Module, norm: nn.Module | None, normed: bool):
        self.adapter, self.norm, self.normed = adapter, norm, normed
        self.residual: Tensor | None = None
        self.output: Tensor | None = None

    def see_residual(self, _module, args) -> None:
        self.residual = args[0]

    def see_output(self, _module, _args, output: Tensor) -> None:
        self.output = output

    def adapt(self, _module, _args, h: Tensor) -> Tensor:
        """h, which those beneath have changed already, and what the adapter makes of it [batch, length, width]."""
        z = h
        if self.normed:
            z = h + self.residual
            z = z if self.norm is None else self.norm(z)
        base = h if self.output is None else self.output
        self.residual = self.output = None
        return self.adapter(z) + base
