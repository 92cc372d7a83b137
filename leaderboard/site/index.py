"""The first page: a table for each class of submissions, filled by a script from ``data/board.js``."""

from __future__ import annotations

from leaderboard.site import layout
from leaderboard.site.content import Content, Table
from leaderboard.site.layout import Html, foreign, tag

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
