"""The first page: a table for each class of submissions, filled by a script from ``data/board.js``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError

from leaderboard.changes import Changed
from leaderboard.ranking import Mark
from leaderboard.site import layout
from leaderboard.site.content import Content, Row, Table, identity, p1
from leaderboard.site.layout import Html, foreign, tag
from probe.published import published
from probe.tracing.roots.summary import ORDER

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
#: What a table's numbers are, where it is known.
_CAPTIONS = {"P@1": "P@1: of how many facts, in %, the best answer is right"}


def page(board: Content) -> str:
    """``index.html``."""
    rows = [row for one in board.tables for row in one.rows if row.own]
    models, total = len({row.page for row in rows}), len(rows)
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


def root_names(names: Iterable[str]) -> list[str]:
    """Names of roots as they are shown, beside each other and never twice."""
    parts = {name for name in names if name.startswith("cue:")}
    return sorted({*names} - ({"cue"} if parts else set()), key=_place)


def _place(name: str) -> tuple[int, str]:
    return next((i for i, root in enumerate(ORDER) if name.startswith(root)), len(ORDER)), name


@cache
def language(code: str) -> str:
    """A language's English name, or its code."""
    try:
        return Locale.parse(code.replace("-", "_")).get_display_name("en") or code
    except (UnknownLocaleError, ValueError, TypeError):
        return code
