"""A presence summed up by language and unit, as a record and as a table."""

from __future__ import annotations

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.tracing.precision import Threshold, precision
from probe.tracing.presences import Presences
from probe.tracing.unit import Unit

#: Below this share of names found, in a text of at least this many passages, the text is hardly in the language.
FEW, PASSAGES = 0.005, 1000


def report(made: Presences, threshold: Threshold) -> dict:
    """What a presence comes to: its own record, the threshold, and a row a unit and language."""
    about = made.read()
    rows = [_row(made, lang, unit, threshold) for unit in about["units"] for lang in about["data"]["langs"]]
    return {**about, "threshold": threshold._asdict(), "rows": rows}


def _row(made: Presences, lang: str, unit: str, threshold: Threshold) -> dict:
    table = made.table(lang, Unit.parse(unit))
    totals = made.totals(lang)
    return {
        "unit": unit,
        "lang": lang,
        "units": totals["units"][unit],
        "named": totals["named"],
        "looked_for": totals["looked_for"],
        "stop_words": totals["stop_words"],
        **precision(table, made.shuffled(lang, Unit.parse(unit)), threshold)._asdict(),
        "faults": dict(Counter(table["fault"].drop_null().to_pylist())),
    }


def foreign(row: dict) -> bool:
    """Whether so few names stand in a text that it can hardly be in the language."""
    return row["units"] >= PASSAGES and row["named"] < FEW * row["looked_for"]


def show(found: dict) -> None:
    """Print a table a unit."""
    console = Console()
    limits = found["threshold"]
    least = f"at least {limits['units']:,} unit{'s' * (limits['units'] > 1)}"
    least += f" and {limits['lift']:g} times chance" if limits["lift"] else ""
    for unit in found["units"]:
        rows = [row for row in found["rows"] if row["unit"] == unit]
        console.print(f"facts whose names stand together in {escape(least)} ({escape(unit)})", style="italic")
        console.print(_table(rows))
    for row in rows:
        for why, number in sorted(row["faults"].items()):
            console.print(f"{row['lang']}: not looked for are {number:,} facts, for {why}", highlight=False)
        if row["stop_words"]:
            words = ", ".join(row["stop_words"][:5]) + (", …" if len(row["stop_words"]) > 5 else "")
            said = f"{row['lang']}: stop-words are {len(row['stop_words'])} names ({words}); --min-lift weighs them"
            console.print(said, highlight=False, markup=False)
        if foreign(row):
            console.print(f"{row['lang']}: hardly a name stands in this text; is it in {row['lang']}?", style="yellow")


def _table(rows: list[dict]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("lang")
    for name in ("facts", "present", "%", "by chance", "precision, 95 %", "units of text", "names found"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        share = f"{100 * row['present'] / row['facts']:.1f}" if row["facts"] else "–"
        cells = [f"{row['facts']:,}", f"{row['present']:,}", share, f"{row['by_chance']:.0f}", _precision(row)]
        named = f"{100 * row['named'] / row['looked_for']:.0f} %" if row["looked_for"] else "–"
        table.add_row(escape(row["lang"]), *cells, f"{row['units']:,}", named)
    return table


def _precision(row: dict) -> str:
    if row["precision"] is None:
        return "–"
    return f"{row['precision']:.2f} \\[{row['low']:.2f}, {row['high']:.2f}]"
