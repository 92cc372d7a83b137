"""What converters share: another tool's JSON read as carefully as a submission's, and a signature of its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_builders.errors import FactrootsError
from leaderboard.files import RECORD, read_bytes
from leaderboard.strict_json import parse
from leaderboard.text import shown


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; raises FactrootsError with all that is wrong with it."""
    if path.suffix != ".json":
        raise FactrootsError(f"{path.name}: its name should end in .json")
    value, faults = parse(read_bytes(path, RECORD))
    if value is None or faults:
        raise FactrootsError("\n".join(f"{path.name} {fault}" for fault in faults))
    return value


def plain(value: Any) -> str:
    """A tool's word as a part of a signature may have it."""
    return str(value).replace("|", "/")


def signed(origin: str, **parts: Any) -> str:
    """``key:value`` pairs joined by ``|``, the origin first; None is left out."""
    named = {"origin": origin} | parts
    return "|".join(f"{key}:{plain(value)}" for key, value in named.items() if value is not None)


def a_share(value: Any, where: str) -> float:
    """A number from 0 to 1; raises FactrootsError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise FactrootsError(f"{where} is {shown(value)}, and a board ranks shares from 0 to 1")
    return float(value)


def number(value: Any, kind: type = float) -> Any:
    """A number, also one written as text, as some tools do; None of anything else, and of none at all."""
    try:
        found = kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 0 <= found < 2**53 else None
