"""Lottery-ticket sparse fine-tuning (Ansell et al. 2022): a few entries of the model, chosen, then trained from θ⁰."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from data_builders.errors import FactrootsError, unknown
from fine_tuning.methods.method import Method, Plan, Trained
from fine_tuning.sparse.callbacks import TowardStart
from fine_tuning.sparse.entries import Entries
from fine_tuning.sparse.fisher import mean_squares
from fine_tuning.sparse.masks import MASKS, Ground
from fine_tuning.sparse.scope import Scope, numel, only, scope_of
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import chosen, count, difference
from fine_tuning.variants.delta_file import write_delta
from fine_tuning.variants.names import is_tied, parameters, tie_of, untie


@dataclass(frozen=True)
class LtSft(Method):
    """Two phases, each from θ⁰: all parameters are trained, the K that moved farthest are chosen, everything is put
    back, and those K are trained alone; what is kept is φ = θ² − θ⁰, K numbers. After composable-sft, for languages.

    The vocabulary head is given a copy of the embeddings and stays as it is, so that variants add up to what each was
    trained as. Normalisations stay too.

    density : K as a share of the entries that could be chosen. The published 7,667,712 are 2.76 % of XLM-R base's and
        4.33 % of multilingual BERT's. k : K itself; 0 to go by `density`.
    rounds : K // rounds more entries are chosen in each, by how far they are from θ⁰; each begins where the last ended.
    mask : how they are chosen (:data:`fine_tuning.sparse.masks.MASKS`); what needs no first training has none.
    l1 : λ of the penalty λ · mean |θ − θ⁰| in both phases.
    first : how many steps the first phase has, as a share of the schedule's, which are the second's.
    norms : which normalisations are frozen (:data:`fine_tuning.sparse.scope.NORMS`).
    freeze_head : no-freeze-head trains the rest of the vocabulary head whole; two such variants do not add up.
    keep : of the mask deftx. samples : of the mask fisher, how many texts, each a gradient (1,024 in the paper).
    """

    density: float = 0.0276
    k: int = 0
    rounds: int = 1
    mask: str = "change"
    l1: float = 0.1
    first: float = 1.0
    norms: str = "all"
    freeze_head: bool = True
    keep: float = 0.9
    samples: int = 1024

    name: ClassVar[str] = "lt-sft"
    schedule: ClassVar[Schedule] = Schedule(rate=5e-5)

    def __post_init__(self):
        if self.mask not in MASKS:
            raise unknown("mask", self.mask, MASKS)
        if not 0 <= self.density <= 1 or not 0 < self.keep <= 1:
            raise FactrootsError(f"{self.name}: density lies from 0 to 1, keep above 0 and up to 1")
        if min(self.k, self.l1) < 0 or min(self.rounds, self.samples) < 1 or self.first <= 0:
            raise FactrootsError(
                f"{self.name}: k and l1 are at least 0, rounds and samples at least 1, first is above 0"
            )

    def plan(self, model, schedule: Schedule) -> Plan:
        scope = scope_of(model, self.norms)
        head = 0 if self.freeze_head else numel(scope.head.values())
        trained, k = scope.size + head, self._budget(scope)
        copied = model.get_output_embeddings().weight.numel() if is_tied(model) else 0
        # θ⁰, the gradient and Adam's two moments; or θ⁰ and the gradient, and of each entry its place, which takes two,
        # θ⁰, value, gradient and moments. Choosing takes three at most, and a mask a quarter.
        held = max((4 if MASKS[self.mask].trains else 3) * trained, 2 * trained + 7 * k + 2 * head)
        held += scope.size // 4 + copied
        phases = {}
        for full, sparse in self._rounds():
            phases |= {full: self._first(schedule).steps} if MASKS[self.mask].trains else {}
            phases[sparse] = schedule.steps
        return Plan(trained, k + head, held, phases)

    def train(self, job: Job) -> Trained:
        if job.schedule.decay:
            raise FactrootsError(
                f"{self.name} leaves weights outside its mask alone, which decay moves: pass --decay 0"
            )
        model = job.loaded.model
        untie(model)
        scope = scope_of(model, self.norms)
        head = {} if self.freeze_head else scope.head
        learning = {**scope.body, **head}
        k = self._budget(scope)
        only(model, learning.values())
        start = _copies(learning)
        size = numel(parameters(model).values())
        masks = {name: torch.zeros(p.shape, dtype=torch.bool) for name, p in scope.body.items()}
        for full, sparse in self._rounds():
            begun = _copies(learning) if self.rounds > 1 else start
            if MASKS[self.mask].trains:
                job.fit(full, self._first(job.schedule), self._toward(learning, start, size))
            for name, more in self._choose(job, scope, start, masks, k // self.rounds).items():
                masks[name] |= more
            _put_back(learning, begun)
            entries = Entries(scope.body, masks)
            alone, origin = {"chosen": entries.values, **head}, {**start, "chosen": entries.of(start)}
            callbacks = [entries, *self._toward(alone, origin, size)]
            job.fit(sparse, job.schedule, callbacks, [{"params": list(alone.values())}])
            entries.put()
        delta = {**chosen(scope.body, start, masks), **difference(head, {name: start[name] for name in head})}
        return Trained(
            "delta",
            partial(write_delta, delta=delta),
            tie_of(model),
            numel(learning.values()),
            count(delta),
            self._said(k, masks, delta, scope),
        )

    def _toward(self, learning: dict, start: dict, size: int) -> list[TowardStart]:
        return [TowardStart(learning, start, self.l1, size)] if self.l1 else []

    def _rounds(self) -> list[tuple[str, str]]:
        """The names of each round's two phases."""
        ends = [f"-{number}" for number in range(1, self.rounds + 1)] if self.rounds > 1 else [""]
        return [(f"full{end}", f"sparse{end}") for end in ends]

    def _first(self, schedule: Schedule) -> Schedule:
        return replace(schedule, steps=max(1, round(self.first * schedule.steps)))

    def _budget(self, scope: Scope) -> int:
        k = self.k or int(self.density * scope.size)
        if k > scope.size:
            raise FactrootsError(f"{self.name}: k={k} of {scope.size} entries that could be chosen; give less")
        if 0 < k < self.rounds:
            raise FactrootsError(f"{self.name}: k={k} cannot be chosen in {self.rounds} rounds; give fewer rounds")
        return k

    def _choose(self, job: Job, scope: Scope, start: dict, taken: dict, k: int) -> dict[str, Tensor]:
        ground = Ground(
            scope, start, taken, job.seed, self.keep, lambda: mean_squares(job, scope.body, 1, self.samples)
        )
        found = MASKS[self.mask].choose(ground, k)
        if k and not any(mask.any() for mask in found.values()):
            raise FactrootsError(
                f"{self.name}: nothing changed that a mask could choose; train longer or at a higher --rate"
            )
        return found

    def _said(self, k: int, masks: dict[str, Tensor], delta: dict, scope: Scope) -> dict[str, Any]:
        """K as asked for, how many were chosen (fewer where fewer changed), and how many of these ended at θ⁰."""
        taken = sum(int(mask.count_nonzero()) for mask in masks.values())
        kept = count({name: part for name, part in delta.items() if name in scope.body})
        return {"k": k, "chosen": taken, "unchanged": taken - kept}


@dataclass(frozen=True)
class LtSftTask(LtSft):
    """LT-SFT for tasks: no penalty; 14,155,776 entries, 5.1 % of XLM-R base's (7.99 % of multilingual BERT's); the
    first phase has 3 of the second's 10 epochs. Trained on top of a language's variant: ``--model xlmr+runs/en``."""

    density: float = 0.051
    l1: float = 0.0
    first: float = 0.3

    name: ClassVar[str] = "lt-sft-task"


def _copies(tensors) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


@torch.no_grad()
def _put_back(tensors, held) -> None:
    for name, tensor in tensors.items():
        tensor.copy_(held[name])
