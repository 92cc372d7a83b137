"""A class of submissions in order of rank: on all facts or a part of them, at once or by language or relation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from data_builders.errors import unknown
from data_builders.progress import Quiet
from leaderboard.classes import Class, Lacking
from leaderboard.entry import Entry
from leaderboard.matrix import COLUMNS, Matrix, matrix
from leaderboard.ranks import Rank, ranks
from probe.results import Result, Score
from probe.scores import KEY


class Part(NamedTuple):
    """A part of the facts: which answers of a submission, which items of all, and what a language's record calls it."""

    answers: Callable[[pd.DataFrame], pd.DataFrame]
    items: Callable[[pd.DataFrame], np.ndarray]
    record: str


def _all(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _every(items: pd.DataFrame) -> np.ndarray:
    return np.ones(len(items), bool)


def in_every_language(items: pd.DataFrame) -> np.ndarray:
    """Which items there are in all languages of a frame."""
    return (items.groupby(KEY, observed=True)["lang"].transform("nunique") == items["lang"].nunique()).to_numpy()


#: What ranks can be asked of. Whether an object is one token, the model's own tokenizer says: two models are compared
#: on the facts whose object is one token to both.
PARTS = {
    "all": Part(_all, _every, "all"),
    "same-facts": Part(_all, in_every_language, "shared"),
    "one-token": Part(lambda frame: frame[frame["pieces"] == 1], _every, "one_token"),
}
#: What a ranking can be cut by.
BY = ("lang", "relation")


class Row(NamedTuple):
    """An entry with its rank."""

    entry: Entry
    rank: Rank


class Mark(NamedTuple):
    """A row of its own, without a rank: what guessing gives (``chance``), and always answering what is right most
    often (``majority``); the least and the greatest of the table's records, which differ where their tokenizers do."""

    name: str
    low: float
    high: float


class Table(NamedTuple):
    """Ranks within a language or relation, or of all together (`group` is None), the best first."""

    group: str | None
    rows: list[Row]
    lacking: list[Lacking]
    marks: list[Mark]
    items: int


class Answered(NamedTuple):
    """The answers of a class's entries, and of each which relations of which languages it has any in."""

    matrix: Matrix
    cells: list[set[tuple[str, str]]]


def answered(entries: Sequence[Entry], part: Part, progress: Quiet) -> Answered:
    """Read all answers of a part. Raises FactrootsError where a file is not there or not whole."""
    cells: list[set[tuple[str, str]]] = []

    def frames() -> Iterator[pd.DataFrame]:
        progress.start("answers", len(entries))
        for entry in entries:
            frame = entry.answers(COLUMNS)
            cells.append(set(frame.groupby(["lang", "relation"], observed=True).groups))
            progress.advance(1)
            yield part.answers(frame)

    return Answered(matrix(frames()), cells)


def within(held: Answered, langs: Sequence[str]) -> Answered:
    """The answers in some languages; without any named, all. Raises FactrootsError for one that there is not."""
    there = held.matrix.items["lang"]
    for lang in langs:
        if lang not in set(there):
            raise unknown("language", lang, there.unique())
    if not langs:
        return held
    cells = [{cell for cell in own if cell[0] in langs} for own in held.cells]
    return Answered(held.matrix.only(there.isin(langs).to_numpy()), cells)


def tables(
    one: Class, part: str = "all", by: str | None = None, langs: Sequence[str] = (), progress: Quiet | None = None
) -> list[Table]:
    """Rank a class's entries on a part of the facts (:data:`PARTS`), in some languages or all, cut by one of
    :data:`BY` or not. Ranks hold together within a table.

    Raises FactrootsError for a language that the class does not have.
    """
    chosen = PARTS[part]
    if not one.entries:
        return [Table(None, [], one.lacking, [], 0)]
    held = within(answered(one.entries, chosen, progress or Quiet()), langs)
    held = held._replace(matrix=held.matrix.only(chosen.items(held.matrix.items)))
    return [_table(one, chosen, group, by, own) for group, own in _groups(held, by)]


def _groups(held: Answered, by: str | None) -> Iterator[tuple[str | None, Answered]]:
    if by is None:
        yield None, held
        return
    place, names = BY.index(by), held.matrix.items[by]
    for name in sorted(names.unique()):
        cells = [{cell for cell in own if cell[place] == name} for own in held.cells]
        yield name, Answered(held.matrix.only((names == name).to_numpy()), cells)


def _table(one: Class, part: Part, group: str | None, by: str | None, held: Answered) -> Table:
    every = set().union(*held.cells)
    some = held.matrix.scored().any(axis=1)[held.matrix.row]
    lacks = [_lacks(every, own, any_) for own, any_ in zip(held.cells, some, strict=True)]
    ranked = np.array([number for number, missing in enumerate(lacks) if not missing], int)
    rows = []
    if len(ranked):
        found = zip(ranked, ranks(held.matrix.of(ranked), one.how), strict=True)
        rows = [Row(one.entries[number], rank) for number, rank in found]
        rows.sort(key=lambda row: (-row.rank.p1.value, row.rank.behind is not None, row.rank.best, row.entry.name))
    lacking = [Lacking(entry, missing) for entry, missing in zip(one.entries, lacks, strict=True) if missing]
    results = [row.entry.submission.result for row in rows]
    marks = _marks(results, part, sorted({cell[0] for cell in every}), group if by == "relation" else None, one.how)
    return Table(group, rows, [*lacking, *one.lacking], marks, len(held.matrix.items))


def _lacks(every: set[tuple[str, str]], own: set[tuple[str, str]], some: bool) -> list[str]:
    """What a submission has no answer to at all: languages, or relations of a language."""
    langs = sorted({lang for lang, _ in every} - {lang for lang, _ in own})
    cells = sorted((lang, relation) for lang, relation in every - own if lang not in langs)
    found = [f"languages: {', '.join(langs)}"] if langs else []
    if cells:
        more = f" and {len(cells) - 3:,} more" if len(cells) > 3 else ""
        found.append(f"relations: {', '.join(f'{relation} in {lang}' for lang, relation in cells[:3])}{more}")
    return found or ([] if some else ["these facts: none of them is asked"])


def _marks(results: Sequence[Result], part: Part, langs: Sequence[str], relation: str | None, how: str) -> list[Mark]:
    """Chance and majority as the records have them, of these languages together; none where a record does not."""
    found = []
    for name in ("chance", "majority"):
        values = [_mark(result, name, part, langs, relation, how) for result in results]
        if values and None not in values:
            found.append(Mark(name, min(values), max(values)))
    return found


def _mark(result: Result, name: str, part: Part, langs: Sequence[str], relation: str | None, how: str) -> float | None:
    if relation is not None and part.record != "all":
        return None
    if part.record == "shared" and len(langs) < len(result.languages):
        return None  # the record's shared facts are those of all its languages
    scores = [
        getattr(language, part.record) if relation is None else language.relations.get(relation)
        for language in result.languages
        if language.lang in langs
    ]
    held: list[Score] = [score for score in scores if score is not None]
    values = [getattr(score, name) for score in held]
    if not values or None in values:
        return None
    return float(np.average(values, weights=None if how == "macro" else [score.n for score in held]))
