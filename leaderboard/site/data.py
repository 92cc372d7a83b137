"""``data/board.js``: all rows of all tables, and what the charts need beside them."""

from __future__ import annotations

from typing import Any

from leaderboard.changes import Changed
from leaderboard.ranking import Mark
from leaderboard.site.content import Content, Row, Table, identity, p1
from leaderboard.site.wording import language, root_names
from probe.published import published

#: What a table's numbers are, where it is known.
_CAPTIONS = {"P@1": "P@1: of how many facts, in %, the best answer is right"}


def of(board: Content) -> dict[str, Any]:
    """The whole of it, as JSON will hold it."""
    langs = sorted({lang for one in board.tables for lang in one.langs})
    return {
        "langs": {lang: language(lang) for lang in langs},
        "sizes": {lang: row["kib"] for lang, row in published("abstracts").items() if lang in langs},
        "tables": [_table(one) for one in board.tables],
    }


def _table(one: Table) -> dict[str, Any]:
    langs = one.langs
    return {
        "id": one.id,
        "title": one.title,
        "metric": one.metric,
        "caption": _CAPTIONS.get(one.metric, f"{one.metric} in %, as {one.meaning.get('origin')} tells it"),
        "langs": langs,
        "rows": [_row(row, one.id, langs) for row in one.rows],
        "marks": [
            {"model": mark.name, "value": _mark(mark), "langs": [_own(one, lang, mark.name) for lang in langs]}
            for mark in one.marks
        ],
    }


def _mark(mark: Mark) -> list[float]:
    return [mark.low, mark.high]


def _own(one: Table, lang: str, name: str) -> list[float] | None:
    return next((_mark(mark) for mark in one.by_lang.get(lang, ()) if mark.name == name), None)


def _row(row: Row, table: str, langs: list[str]) -> dict[str, Any]:
    submission, result = row.submission, row.submission.result
    own = {one.lang: p1(one) for one in result.languages}
    interval = getattr(result, "ci", None)
    return {
        "id": row.id,
        "entry": row.entry.name,
        "page": row.page,
        "model": row.label,
        "family": result.model.get("family"),
        "origin": submission.origin,
        "rank": row.rank,
        "lacks": list(row.lacks),
        "value": result.value,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "langs": [None if own.get(lang) is None else round(own[lang], 9) for lang in langs],
        "n": result.n_scored,
        "answers": submission.answers is not None,
        "signature": result.signature,
        "command": submission.command,
        "unverified": submission.unverified,
        "note": submission.note,
        "parameters": submission.parameters,
        "seconds": submission.seconds,
        "change": row.change and _change(row.change, table),
        "roots": submission.roots and _roots(submission.roots),
        "traced": sorted(row.traced.roots) if row.traced else [],
    }


def _change(change: Changed, table: str) -> dict[str, Any]:
    return {"base": identity(change.base, table), **change.difference._asdict(), **change.counts}


def _roots(roots: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Shares in the order in which roots are shown; of all cues together each cue's own are enough."""
    return {lang: {name: shares[name] for name in root_names(shares)} for lang, shares in roots.items()}
