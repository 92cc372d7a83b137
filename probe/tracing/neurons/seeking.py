"""How neurons are looked for: one value, one canonical text, part of every signature that rests on them."""

from __future__ import annotations

from dataclasses import dataclass

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from probe.tracing.neurons.importance import METHODS


@dataclass(frozen=True)
class Seeking:
    """``probeless(k=50)``, ``integrated_gradients(k=50,steps=20)``: the method, and of each fact the `k` first neurons.

    Antverg & Belinkov's method and Zhao et al.'s k are the default, and Dai et al.'s number of steps.
    """

    method: str = "probeless"
    k: int = 50
    steps: int = 20

    def __post_init__(self):
        if self.method not in METHODS:
            raise unknown("method for neurons", self.method, METHODS)
        if min(self.k, self.steps) < 1:
            raise FactrootsError(f"k and steps of {self.method} must be at least 1")

    @classmethod
    def parse(cls, text: str) -> Seeking:
        """Read a text back; raises FactrootsError for what is none."""
        spec, values = Spec.parse(text), {}
        for key, value in spec.args:
            if key not in ("k", "steps"):
                raise unknown("parameter of neurons", key, ("k", "steps"))
            if len(value) != 1 or not value[0].isdecimal():
                raise FactrootsError(f"{text}: {key} takes a whole number")
            values[key] = int(value[0])
        return cls(spec.name, **values)

    def __str__(self) -> str:
        args = [("k", (str(self.k),))]
        if self.method == "integrated_gradients":
            args.append(("steps", (str(self.steps),)))
        return str(Spec(self.method, None, tuple(args)))
