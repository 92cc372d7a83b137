"""What the site says of a board: tables of submissions that mean the same, each with its rows in order of rank."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leaderboard.comparable import parts
from leaderboard.submission import Submission


class Change(NamedTuple):
    """A variant against its base, on the answers that both gave: the difference of P@1, and what became of facts."""

    base: str  # a row's id
    difference: float
    low: float
    high: float
    kept: int
    gained: int
    lost: int
    wrong: int


class Row(NamedTuple):
    """A submission in its table: `id` in links and files, `entry` on the board, `page` the name of its model's page.

    `rank` is the best and the worst place; None where it lacks what others have.
    """

    id: str
    entry: str
    page: str
    submission: Submission
    rank: tuple[int, int] | None
    lacks: Sequence[str]
    change: Change | None = None


class Mark(NamedTuple):
    """A row without a rank: what guessing gives, or always answering what is right most often."""

    name: str
    value: float | None
    langs: Mapping[str, float | None]


class Class(NamedTuple):
    """Submissions that may be compared: `differs` says in which parts from the first table's."""

    id: str
    rows: Sequence[Row]
    marks: Sequence[Mark]
    differs: Sequence[str]

    @property
    def meaning(self) -> dict[str, str]:
        """The parts of the signature that decide what the numbers mean."""
        return parts(self.rows[0].submission)

    @property
    def title(self) -> str:
        """The fact set and the protocol."""
        result = self.rows[0].submission.result
        meaning = self.meaning
        facts = meaning.get("facts") or str(result.data.get("spec") or result.data.get("id") or meaning["origin"])
        return f"{facts}, {result.protocol}"

    @property
    def langs(self) -> list[str]:
        """The languages that any row has."""
        return sorted({one.lang for row in self.rows for one in row.submission.result.languages})


class Board(NamedTuple):
    """All that the site shows."""

    title: str
    classes: Sequence[Class]


def slug(name: str, also: str) -> str:
    """A name for files and links, which `also` keeps apart from all others that look like it."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-") or "x"
    return f"{plain}-{hashlib.sha256(f'{name}|{also}'.encode()).hexdigest()[:8]}"


def p1(language) -> float | None:
    """The score of a language; None where nothing could be scored."""
    score = getattr(language, "all", None)
    return score.value if score is not None else getattr(language, "value", None)
