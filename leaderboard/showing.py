"""Views as tables that a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaderboard.text import shown
from probe.tracing.roots.summary import ORDER
from probe.variants.wording import duration, signed

Record = dict[str, Any]
#: How wide tables are where there is no terminal, as in the log of a CI service.
WIDTH = 100
_ACROSS = 6  # groups that stand beside each other


def terminal() -> Console:
    """Where tables are printed: names in them are nothing but text."""
    console = Console(highlight=False, emoji=False)
    console.width = console.width if console.is_terminal else WIDTH
    return console


def _p1(record: Record) -> str:
    held = record.get("p1")
    return "–" if held is None else f"{100 * held['value']:.1f} [{100 * held['low']:.1f}, {100 * held['high']:.1f}]"


def _rank(record: Record) -> str:
    if record["kind"] != "ranked":
        return ""
    return str(record["best"]) if record["best"] == record["worst"] else f"{record['best']}–{record['worst']}"


def _score(record: Record) -> str:
    if record["kind"] != "mark":
        return _p1(record) if record["kind"] == "ranked" else ""
    ends = [f"{100 * record[end]:.1f}" for end in ("low", "high")]
    return ends[0] if ends[0] == ends[1] else "–".join(ends)


def _count(key: str) -> Callable[[Record], str]:
    return lambda record: f"{record[key]:,}" if record.get(key) is not None else ""


def _signed(key: str) -> Callable[[Record], str]:
    return lambda record: "" if record.get(key) is None else signed(record[key])


def _share(key: str) -> Callable[[Record], str]:
    return lambda record: f"{100 * record[key]:.1f}" if key in record else ""


def _model(record: Record) -> str:
    lacks = "; ".join(record.get("lacks") or ())
    return f"{shown(record['model'])}{f' lacks {shown(lacks, 200)}' if lacks else ''}"


RANKED = {
    "rank": _rank,
    "model": _model,
    "P@1": _score,
    "behind": _signed("behind"),
    "alike": lambda record: " ".join(record.get("letters") or ()),
    "facts": _count("n"),
    "no answer": lambda record: _count("unanswered")(record) if record.get("unanswered") else "",
}
#: What each view's columns are; the first two of ranks, and the first of others, are words.
COLUMNS: dict[str, dict[str, Callable[[Record], str]]] = {
    "all": RANKED,
    "same-facts": RANKED,
    "one-token": RANKED,
    "roots": {
        "model": _model,
        "lang": lambda record: record["lang"] or "all",
        **{root: _share(root) for root in ORDER},
    },
    "variants": {
        "model": _model,
        "base": lambda record: shown(record["base"] or ""),
        "difference": _signed("difference"),
        **{kind: _count(kind) for kind in ("kept", "gained", "lost")},
    },
    "cost": {
        "model": _model,
        "parameters": _count("parameters"),
        "time": lambda record: duration(record["seconds"]),
        "P@1": _p1,
        "best so far": lambda record: "yes" if record["front"] else "",
    },
}
_RANKS = (
    "P@1 in % with its 95 % interval. A rank is best–worst, as far as these facts can tell; all of a table hold with "
    "95 %. Behind: what the first has more; these intervals hold together too. Models that share a letter "
    "are not told apart. "
)
#: What is said below a view.
NOTES = {
    "all": _RANKS,
    "same-facts": _RANKS,
    "one-token": _RANKS,
    "roots": "Shares of right answers, in %. ",
    "variants": "Variant less base, in points with a paired 95 % interval, on the facts that both answered. ",
    "cost": "P@1 in % with its 95 % interval; best so far: no smaller model does as well. ",
}
_WORDS = {"", "model", "base", "alike", "lang"}


def show(view: str, records: Sequence[Record], console: Console) -> None:
    """Print a view's rows; ranks by language or relation with one row a model, and some groups beside each other."""
    groups = [group for group, _ in groupby(records, key=lambda record: record.get("group"))]
    if groups in ([], [None]):
        console.print(_table(COLUMNS[view], records))
        return
    for start in range(0, len(groups), _ACROSS):
        columns, rows = _across(records, groups[start : start + _ACROSS])
        console.print(_table(columns, rows))
    for said, where in _unranked(records).items():
        place = "" if len(where) == len(groups) else f"{', '.join(map(shown, where))}: "
        console.print(escape(f"{place}{said}"), highlight=False, soft_wrap=True)


def _unranked(records: Sequence[Record]) -> dict[str, list[str]]:
    """What models without a rank lack, and in which groups."""
    found: dict[str, list[str]] = {}
    for record in records:
        if record["kind"] == "unranked":
            found.setdefault(_model(record), []).append(record["group"])
    return found


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of text, whose first column is words."""
    return _table({name: lambda row, i=i: row[i] for i, name in enumerate(head)}, rows)


def _table(columns: dict[str, Callable[[Record], str]], records: Sequence[Record]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    cells = {name: [cell(record) for record in records] for name, cell in columns.items()}
    shown = [name for name, own in cells.items() if any(own) or not records]
    for name in shown:
        words = name in _WORDS
        least = min(24, max(map(len, cells[name]), default=0)) if words else None
        justify = "left" if words else "right"
        table.add_column(escape(name), justify=justify, overflow="fold", no_wrap=not words, min_width=least)
    for row in zip(*(cells[name] for name in shown), strict=True):
        table.add_row(*map(escape, row))
    return table


def _across(records: Sequence[Record], groups: Sequence[str]):
    """Columns and rows of a table with a column a group, each cell a score and its rank."""
    held: dict[str, dict[str, Record]] = {}
    for record in records:
        if record["group"] in groups and record["kind"] != "unranked":
            held.setdefault(record["model"], {})[record["group"]] = record
    columns: dict[str, Callable[[Record], str]] = {"model": lambda row: shown(row["model"])}
    columns |= {shown(group): lambda row, group=group: _cell(row["cells"].get(group)) for group in groups}
    return columns, list(_rows(held))


def _rows(held: dict[str, dict[str, Record]]) -> Iterator[Record]:
    """Marks last."""
    for model, cells in sorted(held.items(), key=lambda item: next(iter(item[1].values()))["kind"] == "mark"):
        yield {"model": model, "cells": cells}


def _cell(record: Record | None) -> str:
    if record is None:
        return "–"
    if record["kind"] == "mark":
        return _score(record)
    return f"{100 * record['p1']['value']:.1f} ({_rank(record)})"
