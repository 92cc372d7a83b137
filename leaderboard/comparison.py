"""Two runs side by side: the difference on the facts they share, with a paired interval and a corrected test."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from probe import uncertainty
from probe.corrections import holm
from probe.protocols import Protocol
from probe.scores import judge
from probe.store import Store

ITEM = ["lang", "relation", "item"]


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
    left, right = (_answers(store, protocol, gold) for store in (a, b))
    both = left.merge(right, on=[*ITEM, "subject_uri"], suffixes=("_a", "_b"))
    if both.empty:
        raise FactrootsError(f"{a.folder} and {b.folder} share no fact in any language")
    rows = [_difference(lang, both[both["lang"] == lang], left, right, protocol) for lang in both["lang"].unique()]
    corrected = holm([row.p for row in rows])
    rows = [row._replace(p_holm=p) for row, p in zip(rows, corrected, strict=True)]
    return [*rows, _difference(None, both, left, right, protocol)] if len(rows) > 1 else rows


def _answers(store: Store, protocol: Protocol, gold: str) -> pd.DataFrame:
    """One row an item: its P@1, averaged over templates where there are several."""
    frame = pd.concat([one.frame for one in judge(store, protocol, gold).values()], ignore_index=True)
    return frame.groupby([*ITEM, "subject_uri"], sort=True, as_index=False)["p1"].mean()


def _difference(lang: str | None, both: pd.DataFrame, left, right, protocol: Protocol) -> Difference:
    both = both.assign(difference=both["p1_a"] - both["p1_b"])
    tally = uncertainty.tally(both, "difference")
    drawn = uncertainty.resample(tally).mean(protocol.aggregate)
    low, high = uncertainty.interval(drawn)
    value = {c: float(uncertainty.total(uncertainty.tally(both, c)).mean(protocol.aggregate)) for c in ("p1_a", "p1_b")}
    n_a, n_b = (len(frame if lang is None else frame[frame["lang"] == lang]) for frame in (left, right))
    return Difference(
        lang,
        value["p1_a"],
        value["p1_b"],
        float(uncertainty.total(tally).mean(protocol.aggregate)),
        low,
        high,
        uncertainty.p_value(drawn),
        None,
        len(both),
        n_a - len(both),
        n_b - len(both),
    )
