"""Two runs side by side: the difference on the facts they share, with a paired interval and a corrected test."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from probe.corrections import holm
from probe.pairs import ITEM, answers, paired
from probe.protocols import Protocol
from probe.store import Store


class Difference(NamedTuple):
    """A minus B on `shared` items of a language (or of all: ``lang`` is None).

    p is two-sided; p_holm is corrected for the number of languages (Holm 1979) and None for the overall row.
    """

    lang: str | None
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float | None
    shared: int
    only_a: int
    only_b: int


def compare(a: Store, b: Store, protocol: Protocol, gold: str | None = None) -> list[Difference]:
    """Differences by language, the overall one last; raises FactrootsError when the runs share nothing.

    The gold policy is run A's own unless `gold` is given; it is the same for both.
    """
    gold = gold or FactSet.parse(a.read()["facts"]).gold
    left, right = (answers(store, protocol, gold) for store in (a, b))
    both = left.merge(right, on=ITEM, suffixes=("_a", "_b"))
    if both.empty:
        raise FactrootsError(f"{a.folder} and {b.folder} share no fact in any language")
    rows = [_difference(lang, both[both["lang"] == lang], left, right, protocol) for lang in both["lang"].unique()]
    corrected = holm([row.p for row in rows])
    rows = [row._replace(p_holm=p) for row, p in zip(rows, corrected, strict=True)]
    return [*rows, _difference(None, both, left, right, protocol)] if len(rows) > 1 else rows


def _difference(lang: str | None, both: pd.DataFrame, left, right, protocol: Protocol) -> Difference:
    found, _ = paired(both.rename(columns={"p1_a": "b", "p1_b": "a"}), protocol.aggregate)  # which gives b − a
    n_a, n_b = (len(frame if lang is None else frame[frame["lang"] == lang]) for frame in (left, right))
    return Difference(
        lang, found.b.value, found.a.value, *found.difference, found.p, None, found.n, n_a - found.n, n_b - found.n
    )
