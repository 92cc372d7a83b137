"""DiffPruning (Guo et al. 2021): a difference from θ⁰ that learns where to be zero, cut to K entries in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch

from data_builders.errors import FactrootsError, unknown
from fine_tuning.methods.method import Method, Plan, Trained
from fine_tuning.sparse.callbacks import Clipped, Unscheduled
from fine_tuning.sparse.diff import Sparsity, differing
from fine_tuning.sparse.entries import Entries
from fine_tuning.sparse.scope import Scope, numel, only, scope_of
from fine_tuning.sparse.topk import top
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import chosen, count, difference
from fine_tuning.variants.delta_file import write_delta
from fine_tuning.variants.names import is_tied, tie_of, untie

PENALTIES = ("paper", "repo")


@dataclass(frozen=True)
class DiffPruning(Method):
    """θ⁰ + z · z_g · w over the body, with gates z of the hard concrete distribution: w and the gates are trained, the
    K greatest changes kept, and those trained on, the gates gone. The vocabulary head is untied and stays as it is.

    density : K as a share of the body's entries. l0 : λ, per expected entry. penalty : of a tensor's gate and its
    entries' (:class:`fine_tuning.sparse.diff.Sparsity`), ``paper`` or ``repo``. structured : a gate for each tensor
    too. alpha : where all gates begin; alpha_rate : how fast they learn, whatever the step. finish : steps of the last
    phase as a share of the schedule's; finish_rate : its rate. Decay acts on w alone.
    freeze_head : no-freeze-head trains the rest of the vocabulary head whole.
    """

    density: float = 0.005
    l0: float = 1.25e-7
    penalty: str = "paper"
    structured: bool = True
    alpha: float = 5.0
    alpha_rate: float = 0.1
    finish: float = 1.0
    finish_rate: float = 5e-5
    freeze_head: bool = True

    name: ClassVar[str] = "diffpruning"
    schedule: ClassVar[Schedule] = Schedule(rate=1e-5)

    def __post_init__(self):
        if self.penalty not in PENALTIES:
            raise unknown("penalty", self.penalty, PENALTIES)
        if not 0 <= self.density <= 1 or self.l0 < 0:
            raise FactrootsError(f"{self.name}: density lies from 0 to 1, l0 is at least 0")
        if min(self.finish, self.finish_rate, self.alpha_rate) <= 0:
            raise FactrootsError(f"{self.name}: finish, finish-rate and alpha-rate are above 0")

    def plan(self, model, schedule: Schedule) -> Plan:
        scope = scope_of(model)
        head = numel(self._head(scope).values())
        copied = model.get_output_embeddings().weight.numel() if is_tied(model) else 0
        # w, α, the sum, the gates drawn, three gradients and two moments each.
        held = 11 * scope.size + 4 * head + copied
        phases = {"diff": schedule.steps, "finish": self._finish(schedule).steps}
        return Plan(scope.size + head, int(self.density * scope.size) + head, held, phases)

    def train(self, job: Job) -> Trained:
        model, schedule = job.loaded.model, job.schedule
        untie(model)
        scope = scope_of(model)
        head = self._head(scope)
        before = {name: parameter.detach().clone() for name, parameter in head.items()}
        only(model, head.values())
        with differing(model, scope.body, self.alpha, self.structured) as differences:
            changes = [one.change for one in differences.values()] + list(head.values())
            gates = [gate for one in differences.values() for gate in one.gates]
            job.fit(
                "diff",
                replace(schedule, clip=0.0),
                [
                    Sparsity(differences, self.l0, self.penalty),
                    Clipped(changes, schedule.clip),  # apart from each other, as in the authors' code
                    Clipped(gates, schedule.clip),
                    Unscheduled(gates, self.alpha_rate),
                ],
                [{"params": changes}, {"params": gates, "lr": self.alpha_rate, "weight_decay": 0.0}],
            )
            found = {name: one.settled().view(-1) for name, one in differences.items()}
        shapes = {name: tuple(parameter.shape) for name, parameter in scope.body.items()}
        k = int(self.density * scope.size)
        masks = top(shapes, lambda name, at: found[name][at], k)
        taken = sum(int(mask.count_nonzero()) for mask in masks.values())
        if k and not taken:
            raise FactrootsError(f"{self.name}: every gate closed; give a lower l0 than {self.l0}")
        start = {name: parameter.detach().clone() for name, parameter in scope.body.items()}
        with torch.no_grad():
            for name, parameter in scope.body.items():
                parameter.add_((found.pop(name) * masks[name].view(-1).to(parameter.device)).view(parameter.shape))
        only(model, [*scope.body.values(), *head.values()])
        entries = Entries(scope.body, masks)
        job.fit("finish", self._finish(schedule), [entries], [{"params": [entries.values, *head.values()]}])
        entries.put()
        delta = {**chosen(scope.body, start, masks), **difference(head, before)}
        kept = count({name: part for name, part in delta.items() if name in scope.body})
        return Trained(
            "delta",
            partial(write_delta, delta=delta),
            tie_of(model),
            scope.size + numel(head.values()),
            count(delta),
            {"k": k, "chosen": taken, "unchanged": taken - kept},
        )

    def _head(self, scope: Scope) -> dict:
        return {} if self.freeze_head else scope.head

    def _finish(self, schedule: Schedule) -> Schedule:
        steps = max(1, round(self.finish * schedule.steps))
        return replace(schedule, steps=steps, rate=self.finish_rate, decay=0.0)
