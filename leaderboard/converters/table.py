"""Other tools' results by the tool's name. Adding one is a function in a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol

from data_builders.errors import unknown
from leaderboard.submission import Submission

CONVERTERS = {
    "lm-eval": "leaderboard.converters.lm_eval:read",
    "mteb": "leaderboard.converters.mteb:read",
    "lm-pub-quiz": "leaderboard.converters.lm_pub_quiz:read",
}


class Converter(Protocol):
    """Reads a file or folder of another tool; per-item files are written into `into`.

    Raises FactrootsError where it is not what the tool writes.
    """

    def __call__(self, path: Path, into: Path) -> Iterator[tuple[Submission, Path | None]]: ...


def converter(name: str) -> Converter:
    """The function behind a tool's name."""
    if name not in CONVERTERS:
        raise unknown("tool", name, CONVERTERS)
    module, attribute = CONVERTERS[name].split(":")
    return getattr(import_module(module), attribute)
