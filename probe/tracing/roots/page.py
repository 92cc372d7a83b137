"""A tracing on one page that needs nothing else: tables and pictures in a single file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from probe import page
from probe.tracing.roots.summary import ordered

_OVERLAP = ("overlap", "null", "excess")
_CAPTIONS = {
    "roots": "Roots of right answers by language",
    "sizes": "P@1 against the size of the abstracts",
    "absence": "Right answers whose fact is absent from the language's text",
    "overlap": "Neurons in common, and those of other facts",
}


def write_page(record: dict, pictures: Iterable[Path], path: Path) -> None:
    """Write the page; everything on it is escaped."""
    shown = [page.picture(picture, _CAPTIONS[picture.stem]) for picture in pictures]
    model = record["made_of"]["run"]["model"]["name"]
    heading = f"Where {model} has its facts from"
    page.write_page(path, f"Roots: {model}", heading, [*shown, _tables(record)], record["signature"])


def _tables(record: dict) -> str:
    names = ordered({row["root"] for row in record["totals"]} - {"cue"})
    rows = []
    for lang in dict.fromkeys(row["lang"] for row in record["totals"]):
        own = {row["root"]: row for row in record["totals"] if row["lang"] == lang}
        cells = [_share(own[name]["share"]) if name in own else "–" for name in names]
        rows.append([lang or "all", f"{next(iter(own.values()))['right']:,}", *cells])
    parts = [page.table("Roots, % of right answers (95 % interval)", ["language", "right", *names], rows)]
    rows = [
        [row["lang"], f"{row['facts']:,}", f"{row['present']:,}", f"{row['by_chance']:.0f}",
         "–" if row["precision"] is None else f"{row['precision']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"]
        for row in record["presence"]
    ]  # fmt: skip
    parts.append(page.table("Presence", ["language", "facts", "present", "by chance", "precision"], rows))
    pairs = [row for row in record["neurons"] if row["lang"]]
    rows = [
        [f"{row['lang']}–{row['other']}", f"{row['facts']:,}", *(_three(row[name]) for name in _OVERLAP)]
        for row in pairs
    ]
    parts.append(
        page.table("Neurons in common (Jaccard)", ["languages", "facts", "same fact", "other facts", "excess"], rows)
    )
    rows = [
        [row["root"], f"{row['facts']:,}", *(_three(row[name]) for name in ("drop", "effect", "specific")),
         *("–" if row[name] is None else _share(row[name]) for name in ("right", "right_random"))]
        for row in record["silenced"]
    ]  # fmt: skip
    head = ["root", "facts", "fall of log p", "beyond random neurons", "beyond other facts", "still right, %",
            "with random neurons, %"]  # fmt: skip
    parts.append(page.table("The source language's neurons silenced", head, rows))
    rows = [[row["setting"], row["value"], *(f"{row['counts'].get(name, 0):,}" for name in names)]
            for row in record["sensitivity"] or ()]  # fmt: skip
    parts.append(page.table("Totals when one setting changes", ["setting", "value", *names], rows))
    return "".join(parts)


def _share(share: dict) -> str:
    return f"{100 * share['value']:.1f} [{100 * share['low']:.0f}, {100 * share['high']:.0f}]"


def _three(estimate: dict) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
