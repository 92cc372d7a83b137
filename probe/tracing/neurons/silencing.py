"""How neurons are silenced and what it is compared with: one value, one canonical text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec

#: What a silenced neuron says: nothing, or what it says on average to the facts of its relation in the language asked.
LEVELS = ("zero", "mean")


@dataclass(frozen=True)
class Silencing:
    """``silence(controls=9,level=mean,seed=1,stop)``; ``silence`` alone is the default.

    Beside each fact stand ``controls`` random draws of neurons and as many other facts; the smallest p there can be is
    1 / (controls + 1). With ``stop`` no more of them are tried for a fact once one has reached its drop: such a p is
    too large by what was left out (Besag & Clifford 1991), and means are of fewer controls.
    """

    controls: int = 9
    level: str = "zero"
    seed: int = 0
    stop: bool = False

    def __post_init__(self):
        if self.level not in LEVELS:
            raise unknown("level of a silenced neuron", self.level, LEVELS)
        if self.controls < 1:
            raise FactrootsError("silence needs at least one control")

    @classmethod
    def parse(cls, text: str) -> Silencing:
        """Read a text back; raises FactrootsError for what is none."""
        spec, known, values = Spec.parse(text), {field.name: field for field in fields(cls)}, {}
        if spec.name != "silence" or spec.path is not None:
            raise FactrootsError(f"cannot read {text!r}; expected silence or silence(controls=9,level=mean,seed=1)")
        for key, value in spec.args:
            if key not in known:
                raise unknown("parameter of silence", key, known)
            if key == "stop":
                if value:
                    raise FactrootsError(f"{text}: stop takes no value")
                values[key] = True
                continue
            number = key != "level"
            if len(value) != 1 or (number and not value[0].isdecimal()):
                raise FactrootsError(f"{text}: {key} takes one {'whole number' if number else 'value'}")
            values[key] = int(value[0]) if number else value[0]
        return cls(**values)

    def __str__(self) -> str:
        given = [(f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default]
        return str(Spec("silence", None, tuple((name, () if v is True else (str(v),)) for name, v in given)))

    def rounds(self) -> Iterator[int]:
        """How many controls are tried at a time: all, or with ``stop`` few at first, then twice as many each time."""
        left, number = self.controls, 4 if self.stop else self.controls
        while left:
            yield min(number, left)
            left, number = left - min(number, left), 2 * number
