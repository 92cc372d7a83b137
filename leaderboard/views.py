"""What a class of submissions can be looked at for: a table of functions, each from the class to rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from data_builders.progress import Quiet
from leaderboard.changes import changes
from leaderboard.classes import Class, labels
from leaderboard.ranking import Table, tables
from probe.variants.transitions import KINDS

Record = dict[str, Any]


class Asked(NamedTuple):
    """How a view is cut: by one of :data:`leaderboard.ranking.BY` or not at all; and the languages, or all."""

    by: str | None = None
    langs: Sequence[str] = ()
    progress: Quiet = Quiet()


def ranked(part: str, one: Class, asked: Asked) -> list[Record]:
    """Ranks on a part of the facts (:data:`leaderboard.ranking.PARTS`), the best first, a table after the other."""
    found = tables(one, part, asked.by, asked.langs, asked.progress)
    return [record for table in found for record in _ranked(table)]


def _ranked(table: Table) -> list[Record]:
    entries = [row.entry for row in table.rows] + [one.entry for one in table.lacking]
    names = labels(entries)
    plain = {"group": table.group, "kind": "ranked", "model": None, "entry": None, "lacks": []}
    rows = [
        plain
        | {"model": name, "entry": row.entry.name}
        | {key: value._asdict() if hasattr(value, "_asdict") else value for key, value in row.rank._asdict().items()}
        for name, row in zip(names, table.rows, strict=False)
    ]
    rows += [plain | {"kind": "mark", "model": mark.name, "low": mark.low, "high": mark.high} for mark in table.marks]
    rows += [
        plain | {"kind": "unranked", "model": name, "entry": one.entry.name, "lacks": one.lacks}
        for name, one in zip(names[len(table.rows) :], table.lacking, strict=True)
    ]
    return rows


def roots(one: Class, asked: Asked) -> list[Record]:
    """Where right answers came from, of submissions that were traced: the share of each root, of all or by language."""
    found = []
    for name, entry in zip(labels(one.entries), one.entries, strict=True):
        for lang, shares in (entry.submission.roots or {}).items():
            wanted = lang in asked.langs if asked.langs else bool(lang) == (asked.by == "lang")
            if wanted:
                found.append({"model": name, "entry": entry.name, "lang": lang or None, **shares})
    return found


def variants(one: Class, asked: Asked) -> list[Record]:
    """Every variant against its base on the facts that both answered; one whose base is not there says so."""
    named = dict(zip((entry.name for entry in one.entries), labels(one.entries), strict=True))
    return [
        {
            "model": named[change.entry.name],
            "entry": change.entry.name,
            "base": change.base and change.base.name,
            "lacks": change.lacks,
            "difference": change.difference and change.difference._asdict(),
            **{kind: change.counts.get(kind) for kind in KINDS},
        }
        for change in changes(one, asked.langs, asked.progress)
    ]


def costs(one: Class, asked: Asked) -> list[Record]:
    """Size and time against P@1, the smallest first; ``front``: no smaller model of known size does as well."""
    found = [
        {
            "model": name,
            "entry": entry.name,
            "parameters": entry.submission.parameters,
            "seconds": entry.submission.seconds,
            "p1": {"value": result.value, "low": result.ci.low, "high": result.ci.high},
        }
        for name, entry in zip(labels(one.entries), one.entries, strict=True)
        for result in [entry.submission.result]
    ]
    found.sort(key=lambda row: (row["parameters"] is None, row["parameters"] or 0, -row["p1"]["value"], row["entry"]))
    best = -1.0
    for row in found:
        row["front"] = row["parameters"] is not None and row["p1"]["value"] > best
        best = max(best, row["p1"]["value"]) if row["parameters"] is not None else best
    return found


class View(NamedTuple):
    """A view's function, the line that says what it shows, and what it can be cut by: options of the command."""

    records: Callable[[Class, Asked], list[Record]]
    summary: str
    takes: Sequence[str] = ()


_CUTS = ("--by lang", "--by relation", "--lang")
#: Adding one is a line here and one of the columns that it is shown in (:mod:`leaderboard.showing`).
VIEWS = {
    "all": View(partial(ranked, "all"), "ranks on all facts", _CUTS),
    "same-facts": View(partial(ranked, "same-facts"), "ranks on the facts that every language has", _CUTS),
    "one-token": View(
        partial(ranked, "one-token"), "ranks on facts whose object is one token to both of any two", _CUTS
    ),
    "roots": View(roots, "where right answers came from, in % of them", ("--by lang", "--lang")),
    "variants": View(variants, "variants less their bases", ("--lang",)),
    "cost": View(costs, "size and time against P@1"),
}
