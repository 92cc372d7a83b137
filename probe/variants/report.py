"""A comparison's record as tables that a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.variants.wording import COSTS, costs, floor, p_value, percent, signed

_MOVES = 6  # of a variant, how many of its most frequent changes of root are shown


def show(record: dict, console: Console) -> None:
    """Print P@1 by language, taught and held-out facts, costs, and how roots moved."""
    _say(console, f"P@1 before and after, {record['protocol']}; base {record['base']} (95 % interval, p by Holm)")
    rows = [row for row in record["rows"] if row["facts"] == "all" and not row["relation"]]
    console.print(_changes("lang", rows))
    by_lang = [row for row in rows if row["lang"]]
    if 2 / (record["ci"]["resamples"] + 1) * len(by_lang) > 0.05:
        console.print(f"{floor(record, by_lang)}: {record['ci']['resamples']:,} resamples", highlight=False)
    if parts := [row for row in record["rows"] if row["facts"] != "all" and not row["lang"]]:
        _say(console, "Facts that were taught and facts that were held out, in all languages")
        console.print(_changes("facts", parts))
    for row in record["effects"]:
        where = "in the languages of the training" if row["asked"] == "taught" else "in other languages"
        text = f"{row['variant']}: teaching a fact added {signed(row['effect'])} {where}, p {p_value(row['p'])}"
        console.print(escape(text), highlight=False)
    _say(console, "What they cost")
    table = _table("variant", COSTS)
    for one in record["variants"]:
        table.add_row(escape(one["name"]), *costs(one["cost"]))
    console.print(table)
    _roots(record, console)
    for one in record["variants"]:
        if one["only_before"] or one["only_after"]:
            text = f"{one['only_before']:,} facts were answered before only, {one['only_after']:,} after only"
            console.print(escape(f"{one['name']}: {text}"), highlight=False)
    console.print(escape(record["signature"]), style="dim", highlight=False, soft_wrap=True)


def _say(console: Console, text: str) -> None:
    console.print(escape(text), style="italic", highlight=False)


def _table(first: str, others: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _changes(second: str, rows: Sequence[dict]) -> Table:
    table = _table("variant", (second, "n", "before", "after", "difference", "p", "kept", "gained", "lost"))
    last = None
    for row in rows:
        name = row["variant"] if row["variant"] != last else ""
        last = row["variant"]
        numbers = [f"{row[kind]:,}" for kind in ("kept", "gained", "lost")]
        cells = [percent(row["before"]), percent(row["after"]), signed(row["difference"]), p_value(row["p_holm"])]
        table.add_row(*map(escape, (name, row[second] or "all", f"{row['n']:,}", *cells, *numbers)))
    return table


def _roots(record: dict, console: Console) -> None:
    for one in record["variants"] if record["roots"] is not None else ():
        total: dict[tuple[str, str], int] = {}
        for row in record["roots"]:
            if row["variant"] == one["name"] and row["before"] != row["after"]:
                key = row["before"], row["after"]
                total[key] = total.get(key, 0) + row["n"]
        first = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:_MOVES]
        moves = "; ".join(f"{before} → {after} {n:,}" for (before, after), n in first) or "none moved"
        console.print(escape(f"roots, {one['name']}: {moves}"), highlight=False)
