"""ChildTuning (Xu et al. 2021): fine-tuning in which only a part of the gradient counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from data_builders.errors import FactrootsError, unknown
from fine_tuning.methods.method import Method, Plan, Trained
from fine_tuning.sparse.callbacks import Clipped, Masked, Thinned
from fine_tuning.sparse.fisher import mean_squares
from fine_tuning.sparse.scope import numel
from fine_tuning.sparse.topk import at_least, cut
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import chosen, count, difference
from fine_tuning.variants.delta_file import write_delta
from fine_tuning.variants.names import copy_of, parameters, tie_of

#: What ChildTuning-D masks: parameters with ``layer`` in their names, as its code does, so that embeddings and heads
#: learn whole; or all of the body, embeddings too.
SCOPES = ("published", "body")


@dataclass(frozen=True)
class _Child(Method):
    """What both share.

    share : of the entries that count, p_F or p_D. clip : whether the gradient is cut to the schedule's norm ``first``,
    as published, where the optimizer masks, or ``last``.
    """

    share: float = 0.3
    clip: str = "first"

    schedule: ClassVar[Schedule] = Schedule(rate=4e-5, batch=16, warmup=0.1)

    def __post_init__(self):
        if not 0 < self.share <= 1:
            raise FactrootsError(f"{self.name}: share lies above 0 and up to 1")
        if self.clip not in ("first", "last"):
            raise unknown("clip", self.clip, ("first", "last"))

    def _fit(self, job: Job, mask) -> None:
        first = self.clip == "first"
        clipped = [Clipped(job.loaded.model.parameters(), job.schedule.clip)] if first else []
        job.fit("train", replace(job.schedule, clip=0.0) if first else job.schedule, [*clipped, mask])


@dataclass(frozen=True)
class ChildTuningF(_Child):
    """At each step every entry of every gradient is kept with probability `share` and divided by it, so that the
    expected gradient stays. A regularisation: what is kept is a whole difference."""

    name: ClassVar[str] = "childtuning-f"

    def plan(self, model, schedule: Schedule) -> Plan:
        size = numel(parameters(model).values())
        return Plan(size, size, 4 * size, {"train": schedule.steps})

    def train(self, job: Job) -> Trained:
        model = job.loaded.model
        before = copy_of(model)
        self._fit(job, Thinned(parameters(model).values(), self.share, job.seed))
        delta = difference(parameters(model), before)
        return Trained("delta", partial(write_delta, delta=delta), tie_of(model), numel(before.values()), count(delta))


@dataclass(frozen=True)
class ChildTuningD(_Child):
    """Before training, the `share` of entries with the greatest Fisher information are chosen; the gradient of the
    others in `scope` (:data:`SCOPES`) is zero.

    Without decay, the default, others stay at θ⁰ and what is kept of `scope` is sparse. With the published decay of
    0.01 they move, and the difference is whole. batches : of the schedule's size, that the information is a mean over;
    0 for a pass over all texts.
    """

    scope: str = "published"
    batches: int = 0

    name: ClassVar[str] = "childtuning-d"

    def __post_init__(self):
        super().__post_init__()
        if self.scope not in SCOPES:
            raise unknown("scope", self.scope, SCOPES)
        if self.batches < 0:
            raise FactrootsError(f"{self.name}: batches is at least 0")

    def plan(self, model, schedule: Schedule) -> Plan:
        size, masked = numel(parameters(model).values()), numel(self._masked(model).values())
        stored = size if schedule.decay else size - masked + round(self.share * masked)
        return Plan(size, stored, 4 * size + masked // 4, {"train": schedule.steps})

    def train(self, job: Job) -> Trained:
        model, decay = job.loaded.model, job.schedule.decay
        masked, before = self._masked(model), copy_of(model)
        masks = child(self._squares(job, masked), self.share)
        self._fit(job, Masked(masked, masks))
        after = parameters(model)
        whole = {name: p for name, p in after.items() if decay or name not in masked}
        delta = difference(whole, {name: before[name] for name in whole})
        if not decay:
            delta |= chosen(after, before, masks)
        taken = sum(int(mask.count_nonzero()) for mask in masks.values())
        said = {"chosen": taken, "of": numel(masked.values())}
        write = partial(write_delta, delta=delta)
        return Trained("delta", write, tie_of(model), numel(before.values()), count(delta), said)

    def _squares(self, job: Job, masked: dict[str, nn.Parameter]) -> dict:
        return mean_squares(job, masked, job.schedule.batch, self.batches, job.schedule.clip)

    def _masked(self, model) -> dict[str, nn.Parameter]:
        body = f"{model.base_model_prefix}."
        fits = {"published": lambda name: "layer" in name, "body": lambda name: name.startswith(body)}[self.scope]
        found = {name: parameter for name, parameter in parameters(model).items() if fits(name)}
        if not found:
            raise FactrootsError(
                f"{self.name}: no parameter of a {model.config.model_type} is in scope={self.scope}; pass scope=body"
            )
        return found


def child(squares: dict, share: float) -> dict:
    """Masks over the entries at or above the (1 − `share`) · 100th percentile of all, as ``np.percentile`` has it.

    Where more than that are zero, the percentile is 0 and all are taken, as in the published code.
    """
    total = numel(squares.values())
    shapes = {name: tuple(tensor.shape) for name, tensor in squares.items()}

    def scores(name: str, at: slice) -> Tensor:
        return squares[name].view(-1)[at]

    place = (total - 1) * np.true_divide((1 - share) * 100, 100)
    below = math.floor(place)
    if place > below:
        # numpy puts the percentile between two ranks, in float32: what is not below it begins at the upper one, unless
        # it is rounded to the lower.
        bits = [cut(shapes, scores, total - rank).bits for rank in (below, below + 1)]
        ends = np.array(bits, np.int32).view(np.float32)
        below += int(np.percentile(ends, float(place - below) * 100) > ends[0])
    return at_least(shapes, scores, total - below)
