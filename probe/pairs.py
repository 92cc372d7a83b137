"""Two runs item by item: their answers side by side, and differences with paired intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import hstack

from probe import uncertainty
from probe.estimates import Estimate
from probe.protocols import Protocol
from probe.scores import judge
from probe.store import Store
from probe.uncertainty import Sums, Tally

#: What tells an item from others; a run asks it once a template.
ITEM = ["lang", "relation", "item", "subject_uri"]


class Paired(NamedTuple):
    """Means of two runs over the same `n` items, and their difference b − a, all from the same draws of subjects.

    p is two-sided, of the difference.
    """

    n: int
    a: Estimate
    b: Estimate
    difference: Estimate
    p: float


def answers(store: Store, protocol: Protocol, gold: str, hashed: bool = True) -> pd.DataFrame:
    """One row an item (:data:`ITEM`): its P@1, averaged over templates where there are several.

    Items and subjects are 64-bit hashes of their names, or, where not `hashed`, names.
    """
    frames = [one.frame for one in judge(store, protocol, gold, hashed).values()]
    frame = pd.concat([f.astype({"lang": object, "relation": object}) for f in frames], ignore_index=True)
    return frame.groupby(ITEM, sort=True, as_index=False)["p1"].mean()


def paired(both: pd.DataFrame, how: str) -> tuple[Paired, dict[str, Paired]]:
    """Over a frame of columns lang, relation, subject_uri, a and b, one row an item: of all rows, and by relation.

    `how` is as in :func:`probe.uncertainty.aggregate`. Relations are told only where the frame is of one language.
    """
    own, drawn = _sums(both)
    whole = _paired(len(both), *([sums.mean(how) for sums in side] for side in (own, drawn)))
    if len(np.unique(own[0].langs)) != 1:
        return whole, {}
    names, counts = np.unique(both["relation"].to_numpy(str), return_counts=True)
    with np.errstate(invalid="ignore"):  # a resample without a relation's subjects has no mean of it
        sides = [[sums.hits / sums.counts for sums in side] for side in (own, drawn)]
    return whole, {
        name: _paired(int(n), *([means[..., i] for means in side] for side in sides))
        for i, (name, n) in enumerate(zip(names.tolist(), counts, strict=True))
    }


def _sums(both: pd.DataFrame) -> tuple[list[Sums], list[Sums]]:
    """Sums of a, b and b − a: the sample's own, and each resample's."""
    values = {"a": both["a"], "b": both["b"], "difference": both["b"] - both["a"]}
    tallies = [uncertainty.tally(both.assign(value=value), "value") for value in values.values()]
    together = Tally(hstack([t.hits for t in tallies], "csr"), *tallies[0][1:])
    width = len(together.langs)
    return tuple(
        [sums._replace(hits=sums.hits[..., i * width : (i + 1) * width]) for i in range(3)]
        for sums in (uncertainty.total(together), uncertainty.resample(together))
    )


def _paired(n: int, own: list, drawn: list[np.ndarray]) -> Paired:
    estimates = [Estimate(float(value), *uncertainty.interval(d)) for value, d in zip(own, drawn, strict=True)]
    return Paired(n, *estimates, uncertainty.p_value(drawn[2][~np.isnan(drawn[2])]))
