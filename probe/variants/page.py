"""A comparison on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from probe import page
from probe.tracing.roots.summary import ORDER
from probe.variants.plots import CAPTIONS
from probe.variants.wording import COSTS, costs, p_value, percent, signed

_LAST = ("wrong", "unscored", "")


def write_page(record: dict, pictures: Iterable[Path], path: Path) -> None:
    """Write the page; everything on it is escaped."""
    shown = [page.picture(picture, CAPTIONS[picture.stem]) for picture in pictures]
    title = f"{record['base']} and its variants"
    parts = [*shown, _costs(record), _changes(record), _effects(record), _relations(record), _roots(record)]
    page.write_page(path, title, f"What became of what {record['base']} knows", parts, record["signature"])


def _costs(record: dict) -> str:
    rows = []
    for one in record["variants"]:
        methods = " + ".join(part["method"] for part in one["parts"])
        langs = " ".join(dict.fromkeys(part["lang"] for part in one["parts"] if part["lang"]))
        rows.append([one["name"], methods, langs or "–", *costs(one["cost"])])
    return page.table("Variants", ["variant", "method", "language", *COSTS], rows)


def _changes(record: dict) -> str:
    rows = [row for row in record["rows"] if not row["relation"]]
    return _table("P@1 before and after, points (95 % interval; p by Holm; exact McNemar)", rows, ("facts", "lang"))


def _relations(record: dict) -> str:
    rows = [row for row in record["rows"] if row["relation"] and row["facts"] == "all"]
    return _table("The same by relation", rows, ("lang", "relation"))


def _table(caption: str, rows: Sequence[dict], names: Sequence[str]) -> str:
    head = ["variant", *names, "n", "before", "after", "difference", "p", "kept", "gained", "lost", "wrong", "McNemar"]
    cells = [
        [row["variant"], *(row[name] or "all" for name in names), f"{row['n']:,}", percent(row["before"]),
         percent(row["after"]), signed(row["difference"]), p_value(row["p_holm"]),
         *(f"{row[kind]:,}" for kind in ("kept", "gained", "lost", "wrong")), p_value(row["mcnemar"])]
        for row in rows
    ]  # fmt: skip
    return page.table(caption, head, cells)


def _effects(record: dict) -> str:
    rows = [
        [
            row["variant"],
            row["asked"],
            f"{row['taught']:,}",
            f"{row['held']:,}",
            signed(row["effect"]),
            p_value(row["p"]),
        ]
        for row in record["effects"]
    ]
    head = ["variant", "facts", "taught", "held out", "added", "p"]
    return page.table("What teaching a fact added, beyond held-out facts", head, rows)


def _roots(record: dict) -> str:
    parts = []
    for one in record["variants"] if record["roots"] is not None else ():
        total: dict[tuple[str, str], int] = {}
        for row in record["roots"]:
            if row["variant"] == one["name"]:
                key = row["before"], row["after"]
                total[key] = total.get(key, 0) + row["n"]
        names = sorted({name for key in total for name in key}, key=_place)
        rows = [[before, *(f"{total.get((before, after), 0):,}" for after in names)] for before in names]
        parts.append(page.table(f"Roots before (rows) and after (columns): {one['name']}", ["before", *names], rows))
    return "".join(parts)


def _place(name: str) -> tuple[int, str]:
    """Where a root stands: right answers first."""
    if name in _LAST:
        return len(ORDER) + _LAST.index(name), name
    return next(i for i, part in enumerate(ORDER) if name.startswith(part)), name
