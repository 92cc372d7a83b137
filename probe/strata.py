"""What P@1 hides: answers parted by how long an object is, and by how often it is right."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

#: Names of strata and the lowest value of each.
PIECES = {"1": 1, "2": 2, "3": 3, "4+": 4}
FREQUENCY = {"1": 1, "2-5": 2, "6-20": 6, "21+": 21}


def stratum(values: np.ndarray, strata: dict[str, int]) -> np.ndarray:
    """The name [n] of each value's stratum; values are whole numbers from 1 on."""
    names = np.array(list(strata))
    return names[np.searchsorted(list(strata.values()), values, side="right") - 1]


def frequency(frame: pd.DataFrame) -> np.ndarray:
    """How many facts [n] of the relation, in this language, have the object: of several golds the one with most.

    A fact asked in several templates is one. From columns lang, relation, item, golds.
    """
    counted = np.zeros(len(frame), dtype=int)
    golds, items = (frame[name].to_numpy() for name in ("golds", "item"))
    for rows in frame.groupby(["lang", "relation"], observed=True).indices.values():
        counts = Counter(gold for own in dict(zip(items[rows], golds[rows], strict=True)).values() for gold in own)
        counted[rows] = [max(counts[gold] for gold in golds[row]) for row in rows]
    return counted
