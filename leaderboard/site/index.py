"""The first page: a table for each class of submissions, filled by a script from ``data/board.js``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError

from leaderboard.changes import Changed
from leaderboard.ranking import Mark
from leaderboard.site import layout
from leaderboard.site.content import Content, Row, Table, identity, p1
from leaderboard.site.layout import Html, foreign, tag
from probe.published import published

SCRIPTS = (
    "assets/site.js",
    "data/board.js",
    "assets/grid.js",
    "assets/drawing.js",
    "assets/by_language.js",
    "assets/by_model.js",
    "assets/charts.js",
    "assets/rows.js",
    "assets/index.js",
)

_SHORT = "P@1 is the share of facts whose best answer is right. Ranks are ranges: what the data can tell, and no more."
_LONG = (
    "Intervals are 95 % intervals of a bootstrap over subjects. A rank is at best one more than the number of models "
    "that are surely better, and at worst the number of those that are not surely worse; models that cannot be told "
    "apart share places.",
    "A model that lacks languages or facts that others of its table have is shown without a rank, with what it lacks; "
    "what is missing never counts as zero. Chance is what guessing gives, majority always answering what is right most "
    "often.",
    "Numbers of different tables mean different things, and cannot be compared.",
)


def page(board: Content) -> str:
    """``index.html``."""
    models = len({row.page for one in board.tables for row in one.rows})
    total = sum(len(one.rows) for one in board.tables)
    said = f"{total:,} submission{'s' * (total != 1)} of {models:,} model{'s' * (models != 1)}."
    empty = tag("p", "Nothing has been submitted yet: probe leaderboard submit RUN")
    main = [
        tag("p", f"{said} {_SHORT}"),
        tag("details", tag("summary", "How to read the tables"), *(tag("p", text) for text in _LONG)),
        tag("noscript", tag("p", "The tables need JavaScript. ", tag("a", "All numbers as CSV", href="board.csv"))),
        _tools() if total else empty,
        *(_section(one, number) for number, one in enumerate(board.tables)),
        tag("p", tag("span", role="status"), " ", class_="chosen", id="chosen", hidden=True),
    ]
    return layout.page(board.title, board.title, main, SCRIPTS)


def _tools() -> Html:
    def field(name: str, control: Html) -> Html:
        return tag("label", name, control)

    def choice(name: str, key: str) -> Html:
        return field(name, tag("select", tag("option", "all", value=""), id=key))

    return tag(
        "form",
        field("Filter by text", Html('<input type="search" id="text" autocomplete="off" spellcheck="false">')),
        choice("Language", "lang"),
        choice("Family", "family"),
        choice("Origin", "origin"),
        tag("button", "Clear", type="reset"),
        class_="tools",
        role="search",
        aria_label="Filter the tables",
        id="tools",
    )


def _section(one: Table, number: int) -> Html:
    differs = [
        tag("p", "Not comparable with the first table. Different (there / here):", class_="note"),
        tag("ul", *(tag("li", foreign(part)) for part in one.differs), class_="note"),
    ]
    return tag(
        "section",
        tag("h2", foreign(one.title), id=f"{one.id}-title"),
        *(differs if number else []),
        tag("details", tag("summary", "What decides the meaning of these numbers"), layout.parts(one.meaning)),
        tag("div", data_table=str(number)),
        tag("div", data_charts=str(number)),
        aria_labelledby=f"{one.id}-title",
        id=one.id,
    )


def data(board: Content) -> dict[str, Any]:
    """``data/board.js``: all rows of all tables, and what the charts need beside them."""
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
        "asked": submission.n,
        "answers": submission.answers is not None,
        "signature": result.signature,
        "command": submission.command,
        "unverified": submission.unverified,
        "note": submission.note,
        "parameters": submission.parameters,
        "seconds": submission.seconds,
        "change": row.change and _change(row.change, table),
        "roots": submission.roots,
    }


def _change(change: Changed, table: str) -> dict[str, Any]:
    return {"base": identity(change.base, table), **change.difference._asdict(), **change.counts}


@cache
def language(code: str) -> str:
    """A language's English name, or its code."""
    try:
        return Locale.parse(code.replace("-", "_")).get_display_name("en") or code
    except (UnknownLocaleError, ValueError, TypeError):
        return code


def rows(board: Content) -> Iterator[list[str | float | int | None]]:
    """``board.csv``: a row a submission and language, "" for all languages; the head comes first."""
    yield ["table", "model", "origin", "best_rank", "worst_rank", "lang", "p1", "low", "high", "n", "signature"]
    for one in board.tables:
        for row in one.rows:
            result = row.submission.result
            about = [one.id, row.label, row.submission.origin, *(row.rank or (None, None))]
            yield [*about, "", result.value, *_interval(result), result.n_scored, result.signature]
            for own in result.languages:
                score = getattr(own, "all", own)
                value = (None, None, None, 0) if score is None else (score.value, *_interval(score), score.n)
                yield [*about, own.lang, *value, result.signature]


def _interval(score) -> tuple[float | None, float | None]:
    ci = getattr(score, "ci", None)
    return (ci.low, ci.high) if ci else (None, None)
