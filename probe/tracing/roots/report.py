"""A tracing's record as tables that a person reads."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.tracing.roots.summary import ordered


def show(record: dict, console: Console) -> None:
    """Print the totals, what cannot be traced, the neurons and, if there, the sensitivity."""
    names = ordered({row["root"] for row in record["totals"] if not row["root"].startswith("cue:")})
    console.print("Where right answers come from, % of them (95 % interval)", style="italic", highlight=False)
    console.print(_totals(record, names))
    cues = [row for row in record["totals"] if row["root"].startswith("cue:") and not row["lang"]]
    if cues:
        parts = [f"{row['root'].removeprefix('cue:')} {_share(row['share'])}" for row in cues]
        console.print(f"cues, in all languages: {', '.join(parts)}", highlight=False)
    _presence(record, console)
    _neurons(record, console)
    for row in record["silenced"]:
        parts = [f"{name} {_plain(row[name])}" for name in ("effect", "specific")]
        console.print(
            f"neurons of the source silenced, {row['root']} ({row['facts']:,}): log p falls by {_plain(row['drop'])}; "
            f"{', '.join(parts)}{_still(row)}", highlight=False
        )  # fmt: skip
    _unanswered(record, console)
    found = record["correlation"]
    if found["pearson"] is not None:
        parts = [f"{name.replace('_', ' ')} {_signed(found[name])}" for name in list(found)[1:]]
        console.print(
            f"P@1 and bytes of abstracts, {found['languages']} languages: {', '.join(parts)}", highlight=False
        )
    if record["sensitivity"]:
        console.print("How many of each, when one setting changes", style="italic")
        console.print(_sensitivity(record["sensitivity"], names))
    console.print(escape(record["signature"]), style="dim", highlight=False, soft_wrap=True)


def _still(row: dict) -> str:
    if row["right"] is None:
        return ""
    return f"; still right {_share(row['right'])} %, with random neurons {_share(row['right_random'])} %"


def _totals(record: dict, names: list[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("lang")
    table.add_column("right", justify="right")
    for name in names:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for lang in dict.fromkeys(row["lang"] for row in record["totals"]):
        rows = {row["root"]: row for row in record["totals"] if row["lang"] == lang}
        cells = [_share(rows[name]["share"]) if name in rows else "–" for name in names]
        table.add_row(escape(lang or "all"), f"{next(iter(rows.values()))['right']:,}", *cells)
    return table


def _share(share: dict) -> str:
    bounds = f"[{100 * share['low']:.0f}, {100 * share['high']:.0f}]"
    return f"{100 * share['value']:.1f} {bounds}".replace("[", "\\[")


def _plain(estimate: dict) -> str:
    return f"{estimate['value']:.3f} \\[{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _presence(record: dict, console: Console) -> None:
    cells = []
    for row, absent in zip(record["presence"], record["absence"], strict=True):
        sure = "–" if row["precision"] is None else f"{row['precision']:.2f}"
        rate = "–" if absent["rate"] is None else f"{100 * absent['rate']['value']:.0f} %"
        cells.append(f"{row['lang']} {row['present']:,} of {row['facts']:,}, precision {sure}, absent of right {rate}")
    console.print(f"present: {'; '.join(cells)}", highlight=False)


def _neurons(record: dict, console: Console) -> None:
    if record["neurons"]:
        last = record["neurons"][-1]
        parts = [f"{name} {last[name]['value']:.3f}" for name in ("overlap", "null", "excess")]
        console.print(f"neurons in common, mean Jaccard: {', '.join(parts)} (null: other facts)", highlight=False)
    for lang, reasons in record["without_neurons"].items():
        for why, number in reasons.items():
            console.print(f"{lang}: {number:,} right facts without neurons: {why}", highlight=False)


def _unanswered(record: dict, console: Console) -> None:
    if record["not_in_corpus"]:
        console.print(
            f"not traced, for the corpus has none of it: {', '.join(record['not_in_corpus'])}", highlight=False
        )
    for row in record["answers"]:
        for why, number in sorted(row["unscored"].items()):
            console.print(f"{row['lang']}: {number:,} facts without an answer: {why}", highlight=False, markup=False)


def _sensitivity(rows: list[dict], names: list[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0)
    for name in ("setting", "value"):
        table.add_column(name, overflow="fold")
    for name in names:
        table.add_column(escape(name), justify="right")
    for number, row in enumerate(rows):
        value = "" if number == 0 else row["value"]
        counts = row["counts"] | {"cue": sum(n for name, n in row["counts"].items() if name.startswith("cue:"))}
        table.add_row(row["setting"], escape(value), *(f"{counts.get(name, 0):,}" for name in names))
    return table


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
