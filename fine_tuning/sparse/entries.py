"""The chosen entries of a model as one vector that is trained in their place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from transformers import TrainerCallback


class Entries(TrainerCallback):
    """The K entries of `parameters` that `masks` (bool, of their shapes, by the same names) choose, as the vector
    ``values`` [K], which the optimizer knows instead of the parameters.

    Before a step it gets their gradients, after it they get its values. So no other entry is ever touched, clipping
    sees no other gradient, and Adam's moments are K numbers each and not the model's. The step is that of gradients
    multiplied by the masks (composable-sft, Ansell et al. 2022), whose moments stay zero elsewhere.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], masks: Mapping[str, Tensor]):
        self.places = {
            name: (parameters[name], mask.flatten().nonzero()[:, 0].to(parameters[name].device))
            for name, mask in masks.items()
        }
        self.values = nn.Parameter(self.of(parameters))

    def of(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """These entries of other tensors of the same names and shapes, [K]."""
        return torch.cat([tensors[name].detach().view(-1)[at] for name, (_, at) in self.places.items()])

    @torch.no_grad()
    def put(self) -> None:
        """Put ``values`` where they belong, which a phase that was finished before has not done."""
        for (parameter, at), part in self._parts(self.values):
            parameter.view(-1).index_copy_(0, at, part)

    def on_train_begin(self, args, state, control, **kwargs):
        self.put()  # what a checkpoint held

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        self.values.grad = torch.zeros_like(self.values)
        for (parameter, at), part in self._parts(self.values.grad):
            if parameter.grad is not None:
                torch.index_select(parameter.grad.view(-1), 0, at, out=part)
                parameter.grad = None  # before the optimizer takes memory of its own

    def on_optimizer_step(self, args, state, control, **kwargs):
        self.put()

    def _parts(self, vector: Tensor):
        return zip(self.places.values(), vector.split([len(at) for _, at in self.places.values()]), strict=True)
