"""JSON Lines: every good line of a file with its number, every bad one reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jsonlines

from data_builders.errors import Problems


def json_lines(path: Path, problems: Problems) -> Iterator[tuple[int, dict]]:
    """Yield (1-based line number, object) for each line of `path`; blank lines are passed over.

    A line that is not UTF-8, not JSON or not an object goes to `problems`. Lines are split at line feeds only, since
    labels may hold any other of Unicode's line separators.
    """
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield number, jsonlines.Reader([line]).read(type=dict)
            except jsonlines.InvalidLineError as error:
                if line.strip():
                    problems.add(path, number, _fault(line, error.__cause__))


def _fault(line: bytes, cause: BaseException | None) -> str:
    if cause is None:
        return "is not a JSON object"
    if not line.endswith(b"\n"):
        return "the file ends in the middle of this line"
    if isinstance(cause, UnicodeDecodeError):
        return f"is not UTF-8 at byte {cause.start + 1}"
    return f"is not JSON: {getattr(cause, 'msg', cause)} at character {getattr(cause, 'pos', 0) + 1}"
