"""Parameters as what they were plus a gated change, on a model that is otherwise left as it is: DiffPruning's θ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import TrainerCallback

from fine_tuning.sparse.hard_concrete import median, open_probability, sample


class Difference(nn.Module):
    """θ⁰ ↦ θ⁰ + z · z_g · w for one tensor: w (``change``) begins at 0, z has an α for each entry, z_g one for all of
    them where it is `structured`. While training z is drawn, else it is its median."""

    def __init__(self, start: Tensor, alpha: float, structured: bool):
        super().__init__()
        self.change = nn.Parameter(torch.zeros_like(start))
        self.alpha = nn.Parameter(torch.full_like(start, alpha))
        self.group = nn.Parameter(start.new_full((), alpha)) if structured else None

    @property
    def gates(self) -> list[nn.Parameter]:
        return [self.alpha] if self.group is None else [self.alpha, self.group]

    def forward(self, start: Tensor) -> Tensor:
        gate = sample if self.training else median
        change = gate(self.alpha) * self.change
        return start + (change if self.group is None else gate(self.group) * change)

    @torch.no_grad()
    def settled(self) -> Tensor:
        """z · z_g · w with the gates at their medians."""
        change = median(self.alpha) * self.change
        return change if self.group is None else median(self.group) * change


@contextmanager
def differing(model, names: Iterable[str], alpha: float, structured: bool) -> Iterator[dict[str, Difference]]:
    """The model with each of its parameters `names` a :class:`Difference` from what it is, which no longer learns.

    Gates are drawn once a forward pass. Whatever happens, the model leaves with the parameters that it came with.
    """
    owners = {name: (model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in names}
    made: dict[str, Difference] = {}
    open_ = []

    def begin(*_) -> None:
        open_.append(parametrize.cached())
        open_[-1].__enter__()

    def end(*_) -> None:
        open_.pop().__exit__(None, None, None)

    hooks = [model.register_forward_pre_hook(begin), model.register_forward_hook(end, always_call=True)]
    try:
        for name, (module, attribute) in owners.items():
            start = getattr(module, attribute).requires_grad_(False)
            made[name] = Difference(start, alpha, structured).train(model.training)
            parametrize.register_parametrization(module, attribute, made[name])
        yield made
    finally:
        for hook in hooks:
            hook.remove()
        for name in made:
            module, attribute = owners[name]
            if parametrize.is_parametrized(module, attribute):
                parametrize.remove_parametrizations(module, attribute, leave_parametrized=False)


class Sparsity(TrainerCallback):
    """The penalty `strength` · (expected number of entries that change), its gradient in closed form, once a step.

    ``paper``: Σ P(z > 0) · P(z_g > 0) (Guo et al. 2021, of the gates' product). ``repo``: Σ P(z > 0) + P(z_g > 0), as
    their code has it, in which groups hardly count.
    """

    def __init__(self, differences: Mapping[str, Difference], strength: float, penalty: str):
        self.differences, self.strength, self.penalty = list(differences.values()), strength, penalty

    @torch.no_grad()
    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        for one in self.differences:
            each = open_probability(one.alpha)
            if one.group is None:
                _add(one.alpha, self.strength * each * (1 - each))
                continue
            group = open_probability(one.group)
            products = self.penalty == "paper"
            _add(one.group, self.strength * group * (1 - group) * (each.sum() if products else 1))
            _add(one.alpha, self.strength * each * (1 - each) * (group if products else 1))


def _add(parameter: nn.Parameter, gradient: Tensor) -> None:
    parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
