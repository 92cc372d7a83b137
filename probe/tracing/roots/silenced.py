"""Do the neurons that a root rests on carry the fact? Those of its source language are silenced while it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from probe.estimates import Estimate, Part, ratios
from probe.tracing.neurons.effects import Found
from probe.tracing.roots.labels import INDEPENDENT, SHARED, TRANSFERRED

#: Roots that name a source.
ROOTED = (SHARED, INDEPENDENT, TRANSFERRED)


class Silenced(NamedTuple):
    """Of the facts of a root: how much less probable (log p, mean per token) they get when their source's neurons are
    silenced, more than with random neurons (``effect``), and more than other facts do (``specific``).

    ``right`` and ``right_random`` are the shares that stay right with these silenced, and with as many random neurons;
    None where the run's pass cannot say.
    """

    root: str
    facts: int
    drop: Estimate
    effect: Estimate
    specific: Estimate
    right: Estimate | None
    right_random: Estimate | None


def rooted(table: pa.Table) -> pa.Table:
    """The rows of roots that name a source."""
    return table.filter(pc.is_in(table["root"], value_set=pa.array(ROOTED)))


def chosen(table: pa.Table, number: int) -> set[str]:
    """At most `number` facts of each relation that have a root with a source somewhere, by a hash of their keys."""
    found = rooted(table).select(["relation", "fact"]).to_pandas().drop_duplicates()
    found["order"] = [hashlib.sha256(fact.encode()).digest() for fact in found["fact"]]
    return set(found.sort_values("order").groupby("relation", sort=False).head(number)["fact"])


def wanted(table: pa.Table, facts: Collection[str], langs: Sequence[str]) -> dict[str, Found]:
    """By the language asked, the sources of some facts' roots."""
    found: dict[str, Found] = {lang: set() for lang in langs}
    for row in rooted(table).select(["fact", "lang", "source"]).to_pylist():
        if row["fact"] in facts:
            found[row["lang"]].add((row["source"], row["fact"]))
    return found


def by_root(table: pa.Table, effects: pa.Table, still: pa.Table | None) -> list[Silenced]:
    """What silencing does to the facts of each root, with intervals over subjects.

    `table` are roots (:data:`probe.tracing.roots.kept.ROOTS`), the others what silencing the neurons of their sources
    came to (:data:`probe.tracing.neurons.effects.EFFECTS`, :data:`probe.tracing.roots.still.STILL`).
    """
    key, frame = ["fact", "lang", "other"], effects.to_pandas()
    frame = frame if still is None else frame.merge(still.to_pandas(), on=key)
    frame = frame.drop(columns=["relation", "subject_uri"]).rename(columns={"lang": "source", "other": "lang"})
    rows = rooted(table).select(["fact", "lang", "relation", "subject_uri", "root", "source"]).to_pandas()
    rows = rows.merge(frame[frame["specific"].notna()], on=["fact", "source", "lang"])
    return [_of(root, own.reset_index(drop=True)) for root in ROOTED if len(own := rows[rows["root"] == root])]


def _of(root: str, rows: pd.DataFrame) -> Silenced:
    names = [name for name in Silenced._fields[2:] if name in rows]
    drawn = ratios(rows, {name: Part(rows[name].to_numpy(float)) for name in names})
    estimates = {name: drawn[name].estimate() if name in drawn else None for name in Silenced._fields[2:]}
    return Silenced(root, len(rows), **estimates)
