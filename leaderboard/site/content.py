"""What the site shows of a board: tables of submissions that mean the same, each with its rows in order of rank."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from data_builders.progress import Quiet
from leaderboard.changes import Changed, changes
from leaderboard.classes import Class, classes, labels
from leaderboard.comparable import comparable, parts
from leaderboard.entry import Entry
from leaderboard.ranking import Mark, tables
from leaderboard.site.traced import Traced
from leaderboard.submission import Submission
from probe.results import Result


class Row(NamedTuple):
    """A submission in its table: what it is called there, and its best and worst place, or what it lacks for one.

    id : what it is called in links and files, in this table. own : whether it means the same as the table's others, or
    is only shown among them, for it was asked in fewer languages. change : of a variant whose base is in the table.
    traced : where its answers came from, fact by fact.
    """

    id: str
    entry: Entry
    label: str
    rank: tuple[int, int] | None
    lacks: Sequence[str] = ()
    own: bool = True
    change: Changed | None = None
    traced: Traced | None = None

    @property
    def submission(self) -> Submission:
        return self.entry.submission

    @property
    def page(self) -> str:
        """The name of its model's page."""
        return slug(self.submission.model, "")


class Table(NamedTuple):
    """Submissions that may be compared. marks : chance and majority; by_lang : the same by language, as far as known.

    meaning : the parts of the signature that decide what the numbers mean; differs : which are not the first table's.
    """

    id: str
    title: str
    meaning: Mapping[str, str]
    differs: Sequence[str]
    rows: Sequence[Row]
    marks: Sequence[Mark]
    by_lang: Mapping[str, Sequence[Mark]]

    @property
    def metric(self) -> str:
        """What its numbers are: P@1, or what another tool calls its own."""
        return self.rows[0].submission.result.metric

    @property
    def langs(self) -> list[str]:
        """The languages that any row has."""
        return sorted({one.lang for row in self.rows for one in row.submission.result.languages})


class Content(NamedTuple):
    """All that the site shows."""

    title: str
    tables: Sequence[Table]


def gather(title: str, entries: Sequence[Entry], traced: Sequence[Traced], progress: Quiet) -> Content:
    """Rank every class of a board's entries. A tracing goes with the entries that it is of.

    Raises FactrootsError where answers are not there or not whole.
    """
    found = classes(entries)
    return Content(title or "Leaderboard", [_table(one, found[0], traced, progress) for one in found])


def _table(one: Class, first: Class, traced: Sequence[Traced], progress: Quiet) -> Table:
    [ranked] = tables(one, progress=progress)
    name = f"t-{hashlib.sha256(one.name.encode()).hexdigest()[:8]}"
    changed = {change.entry.name: change for change in changes(one, progress=progress) if change.difference}
    ranks = {row.entry.name: (row.rank.best, row.rank.worst) for row in ranked.rows}
    lacks = {own.entry.name: own.lacks for own in ranked.lacking}
    held = [row.entry for row in ranked.rows] + [own.entry for own in ranked.lacking]
    rows = [
        Row(
            identity(entry, name),
            entry,
            label,
            ranks.get(entry.name),
            lacks.get(entry.name, ()),
            comparable(entry.submission) == one.name,
            changed.get(entry.name),
            next((own for own in traced if own.fits(entry.submission)), None),
        )
        for label, entry in zip(labels(held), held, strict=True)
    ]
    by_lang = _by_lang([row.submission.result for row in rows if row.rank])
    return Table(name, one.title, parts(one.first), one.differs(first), rows, ranked.marks, by_lang)


def _by_lang(results: Sequence[Result]) -> dict[str, list[Mark]]:
    """Chance and majority of each language: the least and the greatest of the ranked records, where all have them."""
    found: dict[str, list[Mark]] = {}
    for lang in {one.lang for result in results for one in result.languages}:
        scores = [one.all for result in results for one in result.languages if one.lang == lang]
        for name in ("chance", "majority"):
            values = [score and getattr(score, name) for score in scores]
            if None not in values:
                found.setdefault(lang, []).append(Mark(name, min(values), max(values)))
    return found


def identity(entry: Entry, table: str) -> str:
    """An entry's name in links and files, in a table."""
    return slug(entry.submission.model, f"{entry.name}|{table}")


def slug(name: str, also: str) -> str:
    """A name for links and files, which `also` keeps apart from all others that look like it."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-") or "x"
    return f"{plain}-{hashlib.sha256(f'{name}|{also}'.encode()).hexdigest()[:8]}"


def p1(language) -> float | None:
    """The score of a language; None where nothing could be scored."""
    score = getattr(language, "all", None)
    return score.value if score is not None else getattr(language, "value", None)
