"""What counts as a name's occurrence: one value, one canonical text, part of every presence's signature."""

from __future__ import annotations

from dataclasses import dataclass, fields

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from probe.tracing.characters import FOLDS

_CHOICES = {"fold": FOLDS, "overlap": ("longest", "all")}


@dataclass(frozen=True)
class Matching:
    """``names(fold=case,overlap=all,aliases,short)``; ``names`` alone is the default.

    fold
        Names and text are brought into NFKC; ``case`` also folds case, ``accents`` case and the marks of Latin,
        Greek and Cyrillic letters.
    overlap
        ``longest``: a name inside a longer name that stands there is not found ("York" in "New York"); ``all``: it is.
    aliases
        Look for the aliases that a fact set has, too.
    short
        Look for names of one letter, too. Those of one ideograph, or of another letter that is a word, always count.
    """

    fold: str = "exact"
    overlap: str = "longest"
    aliases: bool = False
    short: bool = False

    def __post_init__(self):
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in choices:
                raise unknown(key, getattr(self, key), choices)

    @classmethod
    def parse(cls, text: str) -> Matching:
        """Read a matching's text; raises FactrootsError for what is none."""
        spec, known = Spec.parse(text), {field.name for field in fields(cls)}
        if spec.name != "names" or spec.path is not None:
            raise FactrootsError(f"cannot read {text!r}; expected names or names(fold=case,overlap=all,aliases,short)")
        values = {}
        for key, value in spec.args:
            if key not in known:
                raise unknown("parameter of names", key, known)
            if len(value) != (key in _CHOICES):
                raise FactrootsError(f"{text}: {key} takes {'one value' if key in _CHOICES else 'no value'}")
            values[key] = value[0] if value else True
        return cls(**values)

    def __str__(self) -> str:
        args = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                args.append((field.name, () if value is True else (value,)))
        return str(Spec("names", None, tuple(args)))
