"""The two parameters of a fact set that are numbers: how many facts to keep, and how many candidates."""

from __future__ import annotations

from data_builders.errors import FactrootsError

_SAMPLE = "sample is a share between 0 and 1, as 0.02, or a number of facts of each relation and language, as 60"
_CANDIDATES = "candidates is how many a question has at most, 2 or more, as 50, or 0 for all"


def sample_size(value: float) -> float | int:
    """A share as float, a number as int, so that equal values have one text; raises FactrootsError for others."""
    if 0 < value <= 1:
        return float(value)
    if not (value > 1 and float(value).is_integer()):
        raise FactrootsError(f"{_SAMPLE}, got {value}")
    return int(value)


def candidates_size(value: int) -> int:
    """`value`, which must be 0 or at least 2: one candidate alone is no choice."""
    if not isinstance(value, int) or value < 0 or value == 1:
        raise FactrootsError(f"{_CANDIDATES}, got {value}")
    return int(value)


def number(name: str, text: str) -> float | int:
    """What `text` says of the parameter `name`; raises FactrootsError when it is no number."""
    kind, rule = {"sample": (float, _SAMPLE), "candidates": (int, _CANDIDATES)}[name]
    try:
        return kind(text)
    except ValueError:
        raise FactrootsError(f"{rule}, got {text!r}") from None
