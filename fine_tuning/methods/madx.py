"""MAD-X: language adapters with an invertible part, and task adapters upon them (Pfeiffer et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.placement import installed
from fine_tuning.methods.bottleneck import Pfeiffer
from fine_tuning.training.schedule import Schedule


@dataclass(frozen=True)
class MadxLang(Pfeiffer):
    """A language adapter: wide, with NICE at the embeddings and its inverse before the vocabulary.

    As published: 250,000 steps of 64 texts at 1e-4; rf 2 and gelu_new as in AdapterHub's language adapters.
    """

    name: ClassVar[str] = "madx-lang"
    schedule: ClassVar[Schedule] = Schedule(steps=250_000, batch=64, rate=1e-4)
    reduction: float = 2.0
    activation: str = "gelu_new"
    invertible: float = 2.0


@dataclass(frozen=True)
class MadxTask(Pfeiffer):
    """A task adapter, upon the frozen language adapter that the model comes with: ``--model BASE+LANG``.

    Probed with another language's adapter beneath, ``BASE+OTHER+TASK``, it is transferred. ``residual=paper`` is the
    paper's form; the one that AdapterHub's files are made for is ``library``.
    """

    name: ClassVar[str] = "madx-task"

    def made(self, model):
        if not installed(model):
            raise FactrootsError(
                "madx-task trains upon a language adapter, and the model comes with none; pass --model BASE+LANG, "
                "LANG being a variant of madx-lang"
            )
        return super().made(model)
