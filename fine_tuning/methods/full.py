"""Full fine-tuning: every parameter learns. The base of the others, and their baseline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from fine_tuning.methods.method import Method, Plan, Trained
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import count, difference
from fine_tuning.variants.delta_file import write_delta
from fine_tuning.variants.names import copy_of, parameters, tie_of


@dataclass(frozen=True)
class Full(Method):
    """All parameters, the head included; continued pretraining where the examples are text of a language."""

    name: ClassVar[str] = "full"
    schedule: ClassVar[Schedule] = Schedule(rate=5e-5)

    def plan(self, model, schedule: Schedule) -> Plan:
        size = sum(parameter.numel() for parameter in parameters(model).values())
        return Plan(size, size, 4 * size, {"train": schedule.steps})  # gradient, Adam's two moments, θ⁰

    def train(self, job: Job) -> Trained:
        model = job.loaded.model
        before = copy_of(model)
        job.fit("train")
        delta = difference(parameters(model), before)
        size = sum(tensor.numel() for tensor in before.values())
        return Trained("delta", partial(write_delta, delta=delta), tie_of(model), size, count(delta))
