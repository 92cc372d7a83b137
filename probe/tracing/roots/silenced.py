"""Do the neurons that a root rests on carry the fact? Those of its source language are silenced while it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.factset import OpenFactSet
from data_builders.progress import Quiet
from fine_tuning.models import Loaded
from probe.estimates import Estimate, Part, ratios
from probe.tracing.neurons.asked import questions
from probe.tracing.neurons.effects import effects
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.silencing import Silencing
from probe.tracing.roots.labels import INDEPENDENT, SHARED, TRANSFERRED

#: Roots that name a source.
ROOTED = (SHARED, INDEPENDENT, TRANSFERRED)


class Silenced(NamedTuple):
    """Of the facts of a root: how much less probable (log p, mean per token) they get when their source's neurons are
    silenced, more than with random neurons (``effect``), and more than other facts do (``specific``)."""

    root: str
    facts: int
    drop: Estimate
    effect: Estimate
    specific: Estimate


def chosen(table: pa.Table, number: int) -> set[str]:
    """At most `number` facts of each relation that have a root with a source somewhere, by a hash of their keys."""
    rooted = table.filter(pc.is_in(table["root"], value_set=pa.array(ROOTED))).select(["relation", "fact"]).to_pandas()
    rooted = rooted.drop_duplicates()
    rooted["order"] = [hashlib.sha256(fact.encode()).digest() for fact in rooted["fact"]]
    return set(rooted.sort_values("order").groupby("relation", sort=False).head(number)["fact"])


def silence(
    table: pa.Table, tops: pa.Table, data: OpenFactSet, loaded: Loaded, scoring: str, number: int, bar=None
) -> list[Silenced]:
    """The effects of silencing by root, of `number` facts a relation, with intervals over subjects.

    `table` are roots (:data:`probe.tracing.roots.kept.ROOTS`), `tops` the neurons that they rest on.
    """
    facts = chosen(table, number)
    some = tops.filter(pc.is_in(tops["fact"], value_set=pa.array(sorted(facts), pa.string())))
    asked: Mapping = {lang: questions(data, loaded, lang, facts, scoring) for lang in data.langs}
    found = effects(some, asked, Reader(loaded), Silencing(), bar or Quiet()).to_pandas()
    columns = ["fact", "lang", "relation", "subject_uri", "root", "source"]
    rows = table.select(columns).to_pandas()
    rows = rows[rows["root"].isin(ROOTED)]
    both = rows.merge(
        found[["fact", "lang", "other", "drop", "effect", "specific"]],
        left_on=["fact", "source", "lang"],
        right_on=["fact", "lang", "other"],
        suffixes=("", "_of"),
    ).dropna(subset=["specific"])
    return [
        _mean(root, both[both["root"] == root].reset_index(drop=True)) for root in ROOTED if root in set(both["root"])
    ]


def _mean(root: str, rows: pd.DataFrame) -> Silenced:
    drawn = ratios(rows, {name: Part(rows[name].to_numpy()) for name in Silenced._fields[2:]})
    return Silenced(root, len(rows), *(drawn[name].estimate() for name in Silenced._fields[2:]))
