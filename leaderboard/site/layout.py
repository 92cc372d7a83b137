"""The frame of every page, and the few shapes that its parts have. What is not marked up here is text, and escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from leaderboard.site.scripts import UNSEEN

#: Nothing from elsewhere and no script in a page itself. ``file:`` is for pages that are opened as files, where some
#: browsers do not count a neighbouring file as 'self'; Plotly writes styles, and no script can come of those.
POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' 'unsafe-inline' file:; img-src 'self' data: file:; "
    "base-uri 'none'; form-action 'none'"
)


class Html(str):
    """Markup, as opposed to text, which is escaped wherever it is put."""


class Column(NamedTuple):
    """A column of a table: its head, and whether its cells are numbers, ``text`` or the ``name`` of the row."""

    head: str
    kind: str = ""


def html(part: str) -> Html:
    """`part` as markup: as it is where it is that already."""
    return part if isinstance(part, Html) else Html(escape(part.translate(UNSEEN)))


def tag(name: str, *content: str, **attributes: str | bool | None) -> Html:
    """An element; attributes that are None or False are left out, and ``class_`` is ``class``."""
    own = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Html(f"<{name}{own}>{''.join(map(html, content))}</{name}>")


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {key}" if value is True else f' {key}="{escape(str(value).translate(UNSEEN))}"'


def join(parts: Iterable[str]) -> Html:
    """Parts one after the other."""
    return Html("".join(map(html, parts)))


def foreign(text: str) -> Html:
    """Somebody else's text, kept from changing the direction of what stands around it."""
    return tag("bdi", text)


def page(title: str, heading: str, main: Sequence[str], scripts: Sequence[str] = (), up: str = "") -> str:
    """A whole page. `up` leads from it to the site's folder; `scripts` lie there."""
    head = [
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="referrer" content="no-referrer">'),
        tag("title", title),
        Html(f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{up}assets/site.css">'),
        *(tag("script", src=f"{up}{name}", defer=True) for name in scripts),
    ]
    places = {"Leaderboard": "index.html", "Compare two models": "pair.html", "Numbers as CSV": "board.csv"}
    links = [tag("li", tag("a", text, href=f"{up}{place}")) for text, place in places.items()]
    body = [
        tag("a", "Skip to the content", class_="skip", href="#content"),
        tag("header", tag("nav", tag("ul", *links), aria_label="Site")),
        tag("main", tag("h1", heading), *main, id="content", tabindex="-1"),
    ]
    return f'<!doctype html>\n<html lang="en"><head>{join(head)}</head><body>{join(body)}</body></html>\n'


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Html:
    """A table in a box that scrolls by itself."""
    head = [tag("th", column.head, scope="col", class_=column.kind or None) for column in columns]
    lines = [tag("tr", *(_cell(*pair) for pair in zip(columns, row, strict=True))) for row in rows]
    whole = tag("table", tag("caption", caption), tag("thead", tag("tr", *head)), tag("tbody", *lines))
    return tag("div", whole, class_="box", role="region", tabindex="0", aria_label=caption)


def _cell(column: Column, cell: str) -> Html:
    if column.kind == "name":
        return tag("th", cell, scope="row", class_="name")
    return tag("td", cell, class_=column.kind or None)


def parts(pairs: Mapping[str, str]) -> Html:
    """A list of names and what they are."""
    return tag(
        "dl", *(join([tag("dt", key), tag("dd", foreign(value))]) for key, value in pairs.items()), class_="parts"
    )


def copied(name: str, text: str) -> Html:
    """A text to be copied, under its name."""
    button = tag("button", "Copy", type="button", data_copy=name)
    return tag("div", tag("span", name, class_="soft"), tag("code", foreign(text)), button, class_="said")
