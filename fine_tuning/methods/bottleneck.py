"""Bottleneck adapters: small modules learn between the layers of a frozen model (Houlsby; Pfeiffer)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import ClassVar

import torch

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.applying import write_weights
from fine_tuning.bottleneck.architectures import layers
from fine_tuning.bottleneck.config import Config, Parts
from fine_tuning.bottleneck.modules import count, start
from fine_tuning.bottleneck.placement import blank, install, installed
from fine_tuning.methods.method import Method, Plan, Trained
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.names import tie_of


@dataclass(frozen=True)
class Pfeiffer(Parts, Method):
    """An adapter after each feed-forward sub-block, ``seq_bn`` of `adapters` (Pfeiffer et al. 2021).

    leave_out : numbers of layers without one. drop_last : leave the last layer out, as MAD-X 2.0 does (Pfeiffer et al.
    2021, "UNKs everywhere"). Embeddings, head and norms are frozen, and so are the adapters of variants that the model
    comes with, upon which these are stacked.
    """

    name: ClassVar[str] = "pfeiffer"
    schedule: ClassVar[Schedule] = Schedule(rate=1e-4)
    leave_out: tuple[str, ...] = ()
    drop_last: bool = False

    def __post_init__(self):
        super().__post_init__()
        if odd := [word for word in self.leave_out if not word.isdecimal()]:
            raise FactrootsError(f"{self.name}: leave-out takes numbers of layers, got {odd[0]}")

    def config(self, depth: int) -> Config:
        """The config for a model of `depth` layers."""
        left_out = {*map(int, self.leave_out), *([depth - 1] if self.drop_last else ())}
        parts = {field.name: getattr(self, field.name) for field in fields(Parts)}
        return Config(**parts, leave_out=tuple(sorted(left_out)))

    def made(self, model):
        """Blank adapters for `model`. Raises FactrootsError where they do not fit it or what stands in it."""
        made = blank(model, self.config(len(layers(model))))
        if self.invertible and any(other.inverts for other in installed(model)):
            raise FactrootsError(
                f"the model comes with an invertible adapter, so that one more would not be used; write "
                f"{self.name}(invertible=0)"
            )
        return made

    def plan(self, model, schedule: Schedule) -> Plan:
        size = count(self.made(model))
        return Plan(size, size, 4 * size, {"train": schedule.steps})  # itself, gradient, Adam's two moments

    def train(self, job: Job) -> Trained:
        model = job.loaded.model
        adapters = start(self.made(model), torch.Generator().manual_seed(job.seed))
        learning = {p: p.requires_grad for p in model.parameters()}
        model.requires_grad_(False)
        undo = install(model, adapters)
        try:
            job.fit("train")
        except BaseException:
            undo()
            raise
        finally:
            for parameter, before in learning.items():
                parameter.requires_grad_(before)
        adapters.requires_grad_(False)
        weights = {name: tensor.clone() for name, tensor in adapters.state_dict().items()}
        config = {**adapters.config.as_json(), "beneath": [other.config.as_json() for other in installed(model)[:-1]]}
        size = count(adapters)
        return Trained("bottleneck", partial(write_weights, weights=weights), tie_of(model), size, size, config)


@dataclass(frozen=True)
class Houlsby(Pfeiffer):
    """An adapter after each attention and each feed-forward sub-block, ``double_seq_bn`` of `adapters` (Houlsby et al.
    2019, who trained the layer norms too; here, as in AdapterHub, they are frozen)."""

    name: ClassVar[str] = "houlsby"
    placement: str = "houlsby"
    activation: str = "swish"
