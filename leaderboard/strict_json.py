"""JSON that a stranger wrote: no key twice, no number that is none or too large, no nesting without end."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from leaderboard.text import shown

_DIGITS = 19  # of whole numbers: what 64 bits hold


class Parsed(NamedTuple):
    """A JSON object, or None where it is none; and all that is wrong with it, a line each."""

    value: dict[str, Any] | None
    faults: list[str]


def parse(text: bytes) -> Parsed:
    """Read one JSON object."""
    seen = _Hooks()
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=seen.pairs,
            parse_constant=seen.constant,
            parse_int=seen.whole,
            parse_float=seen.real,
        )
    except UnicodeDecodeError as error:
        return Parsed(None, [f"is not UTF-8 at byte {error.start + 1}"])
    except json.JSONDecodeError as error:
        return Parsed(None, [f"is not JSON: {error.msg} at character {error.pos + 1}"])
    except RecursionError:
        return Parsed(None, ["is nested too deep to be a submission"])
    if not isinstance(value, dict):
        return Parsed(None, [*seen.faults, "is not a JSON object"])
    return Parsed(value, list(seen.faults))


class _Hooks:
    """What the parser calls, and the faults that it was shown: keys in their order, each once."""

    def __init__(self):
        self.faults: dict[str, None] = {}

    def pairs(self, found: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in found:
            if key in made:
                self.faults[f"the key {shown(key)!r} stands twice in one object"] = None
            made[key] = value
        return made

    def constant(self, name: str) -> float:
        self.faults[f"{name} is no number of JSON's"] = None
        return 0.0

    def whole(self, digits: str) -> int:
        return int(digits) if len(digits.lstrip("-")) <= _DIGITS else self._large(digits)

    def real(self, digits: str) -> float:
        value = float(digits)
        return self._large(digits) if math.isinf(value) else value

    def _large(self, digits: str) -> int:
        self.faults[f"{shown(digits, 24)} is too large a number"] = None
        return 0
