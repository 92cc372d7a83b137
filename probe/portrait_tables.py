"""A run's portrait as tables that a person reads. Everything but n and p is in percent."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.estimates import Estimate
from probe.portrait import Portrait


class Sheet(NamedTuple):
    """A table: what its rows are, how many of its columns are names, and what each column shows of a row."""

    title: str
    rows: Callable[[Portrait], list]
    names: int
    columns: dict[str, Callable]


_PAIR = {"languages": lambda row: f"{row.a} {row.b}"}
_LANG = {"lang": lambda row: row.lang}

#: Every table, in order; one without rows is not shown.
SHEETS = (
    Sheet(
        "two languages, the same candidates: RankC",
        lambda portrait: [pair for pair in portrait.pairs if pair.rankc],
        1,
        _PAIR
        | {
            "RankC": lambda row: row.rankc,
            "floor": lambda row: row.floor,
            "above the floor": lambda row: row.corrected,
            "n": lambda row: row.ranked,
        },
    ),
    Sheet(
        "two languages, the same questions: what both know, what both say",
        lambda portrait: portrait.pairs,
        1,
        _PAIR
        | {
            "COverlap": lambda row: row.overlap,
            "by\nchance": lambda row: row.independent,
            "one answer": lambda row: row.agree,
            "one, and wrong": lambda row: row.wrong,
            "n": lambda row: row.n,
        },
    ),
    Sheet(
        "two languages, the same questions: the first one's P@1 minus the other's",
        lambda portrait: portrait.pairs,
        1,
        _PAIR
        | {
            "difference": lambda row: row.gap,
            "p": lambda row: f"{row.p:.3f}",
            "p (Holm)": lambda row: f"{row.p_holm:.3f}",
            "n": lambda row: row.n,
        },
    ),
    Sheet(
        "all languages, the same questions",
        lambda portrait: [portrait.all] if portrait.all else [],
        0,
        {
            "languages": lambda row: row.langs,
            "one answer": lambda row: row.agree,
            "one, and wrong": lambda row: row.wrong,
            "n": lambda row: row.n,
        },
    ),
    Sheet(
        "one language, the same facts in several templates",
        lambda portrait: portrait.paraphrases,
        1,
        _LANG
        | {
            "one answer": lambda row: row.agree,
            "by\nchance": lambda row: row.by_chance,
            "one, and right": lambda row: row.right,
            "P@1": lambda row: row.accuracy,
            "facts": lambda row: row.facts,
            "asked\nonce": lambda row: row.one,
        },
    ),
    Sheet(
        "how sure the answers are: softmax over the candidates",
        lambda portrait: portrait.confidence,
        1,
        _LANG
        | {
            "confidence": lambda row: row.confidence,
            "P@1 (micro)": lambda row: row.accuracy,
            "Brier": lambda row: row.brier,
            "if in-\ndifferent": lambda row: row.indifferent,
            "n": lambda row: row.n,
        },
    ),
    Sheet(
        "how far confidence is from P@1: expected calibration error",
        lambda portrait: portrait.confidence,
        1,
        _LANG
        | {
            "bins of one width": lambda row: row.error,
            "if\ncalibrated": lambda row: row.calibrated,
            "bins of one size": lambda row: row.by_mass,
            "n": lambda row: row.n,
        },
    ),
    Sheet(
        "P@1 (micro) by the object's tokens, and by the facts of the relation that have it",
        lambda portrait: portrait.strata,
        3,
        _LANG
        | {
            "by": lambda row: row.by,
            "is": lambda row: row.stratum,
            "P@1": lambda row: row.p1,
            "chance": lambda row: row.chance,
            "majority": lambda row: row.majority,
            "n": lambda row: row.n,
        },
    ),
)


def show(portrait: Portrait, console: Console) -> None:
    """Every table that has a row, then how many items have no answer, then the signature."""
    for sheet in SHEETS:
        if rows := sheet.rows(portrait):
            console.print(_table(sheet, rows))
    unscored = [f"{lang}: {n:,} {why}" for lang, own in portrait.unscored.items() for why, n in sorted(own.items())]
    if unscored:
        console.print(f"unscored: {escape('; '.join(unscored))}", highlight=False)
    made = f"95 % intervals; RankC's weights: {portrait.weights}"
    console.print(f"{made}\n{escape(portrait.signature)}", style="dim", highlight=False, soft_wrap=True)


def _table(sheet: Sheet, rows: list) -> Table:
    table = Table(title=sheet.title, box=SIMPLE_HEAD, padding=0, title_justify="left")
    for number, name in enumerate(sheet.columns):
        table.add_column(name, justify="left" if number < sheet.names else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(value(row)) for value in sheet.columns.values()))
    return table


def _cell(value: Estimate | float | int | str | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Estimate):
        return f"{100 * value.value:.1f} \\[{100 * value.low:.1f}, {100 * value.high:.1f}]"
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.1f}"
