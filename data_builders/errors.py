"""What goes wrong with a user's input, said in one line that names the cure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class FactrootsError(Exception):
    """A mistake that the user can mend: the message says what, where and how; the command line prints it alone."""


def unknown(kind: str, name: str, known) -> FactrootsError:
    """The error for a failed look-up: it always lists what exists."""
    return FactrootsError(f"unknown {kind} {name!r}; there are: {', '.join(sorted(known))}")


class Problem(NamedTuple):
    """One bad row: where it stands (1-based line; 0 when the whole file is meant) and what is wrong with it."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass
class Problems:
    """Collects every problem of a directory, so that one run of a command shows them all."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file, line: int, message: str) -> None:
        self.found.append(Problem(str(file), line, message))

    def settle(self, skip_bad: bool) -> None:
        """Raise with every problem listed, unless the caller chose to go on without the bad rows."""
        if self.found and not skip_bad:
            lines = "\n".join(f"  {p}" for p in self.found)
            n = len(self.found)
            raise FactrootsError(
                f"{n} bad {'row' if n == 1 else 'rows'}; mend {'it' if n == 1 else 'them'} or pass --skip-bad:\n{lines}"
            )
