"""What methods do to gradients between the backward pass and the optimizer's step.

Each acts in ``on_pre_optimizer_step``, once a step however many batches were accumulated, in the order in which they
are given; :func:`fine_tuning.training.fitting.fit` clips after all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from transformers import TrainerCallback

from fine_tuning.sparse.seeds import seed_of

CHUNK = 2**18


class Masked(TrainerCallback):
    """Gradients outside `masks` (bool, of the parameters' shapes, by the same names) are zero. Where all that learns is
    masked and without decay, :class:`fine_tuning.sparse.entries.Entries` does the same with less.

    With an optimizer that has not stepped before and no decay such weights stay as they are, bit for bit: Adam's
    moments stay zero, and so does what it adds.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], masks: Mapping[str, Tensor]):
        self.pairs = [(parameters[name], mask.to(parameters[name].device).view(-1)) for name, mask in masks.items()]

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        for parameter, mask in self.pairs:
            if parameter.grad is None:
                continue
            gradient, room = parameter.grad.view(-1), parameter.grad.new_empty(min(CHUNK, len(mask)))
            for first in range(0, len(mask), CHUNK):
                part = mask[first : first + CHUNK]
                # Four times faster than gradient *= mask, which turns bool into float an entry at a time.
                gradient[first : first + CHUNK].mul_(room[: len(part)].copy_(part))


class TowardStart(TrainerCallback):
    """An L1 penalty on how far the weights have gone: the gradient of `strength` / `size` · Σ|θ − θ⁰|, whose slope at
    θ⁰ is 0.

    composable-sft (Ansell et al. 2022), where `size` is how many parameters the model has, frozen ones too. There the
    penalty goes through the backward pass, and how accumulation scales it depends on the version; here it is the
    formula's whatever is accumulated.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], start: Mapping[str, Tensor], strength: float, size: int):
        self.pairs = [(parameter, start[name].view(-1)) for name, parameter in parameters.items()]
        self.slope = strength / size

    @torch.no_grad()
    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        for parameter, start in self.pairs:
            if parameter.grad is None:
                continue
            now, gradient = parameter.view(-1), parameter.grad.view(-1)
            for first in range(0, len(now), CHUNK):  # no second model in memory
                at = slice(first, first + CHUNK)
                gradient[at].add_((now[at] - start[at]).sign_(), alpha=self.slope)


class Thinned(TrainerCallback):
    """Each entry of each gradient is kept with probability `share` and divided by it: ChildTuning-F (Xu et al. 2021).

    Drawn anew at every step from `seed` and the step's number, so that what goes on from a checkpoint draws the same.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], share: float, seed: int):
        self.parameters, self.share, self.seed = list(parameters), share, seed

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        generators = {}
        for parameter in self.parameters:
            if parameter.grad is None:
                continue
            device = parameter.device
            if device not in generators:
                generators[device] = torch.Generator(device).manual_seed(seed_of(self.seed, state.global_step))
            kept = torch.empty_like(parameter.grad).bernoulli_(self.share, generator=generators[device])
            parameter.grad.mul_(kept.div_(self.share))


class Clipped(TrainerCallback):
    """The norm of these parameters' gradients together is at most `norm`; 0 for no limit."""

    def __init__(self, parameters: Iterable[nn.Parameter], norm: float):
        self.parameters, self.norm = list(parameters), norm

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        if self.norm:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.norm)


class Unscheduled(TrainerCallback):
    """The optimizer's group with the first of these parameters keeps the `rate`, whatever the schedule says."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float):
        self.first, self.rate = next(iter(parameters)), rate

    def on_pre_optimizer_step(self, args, state, control, optimizer=None, **kwargs):
        for group in optimizer.param_groups:
            if any(parameter is self.first for parameter in group["params"]):
                group["lr"] = self.rate
