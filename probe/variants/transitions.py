"""What became of every fact: known before and after, gained, lost, or known neither time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import binom

from data_builders.errors import FactrootsError
from probe.pairs import ITEM
from probe.variants.split import Split, parts

#: Right both times, right after only, right before only, right neither time.
KINDS = ("kept", "gained", "lost", "wrong")

#: One row a fact, language and variant. ``before`` and ``after`` are P@1 of the base and of the variant, averaged over
#: templates; a fact counts as known from 0.5 on. ``taught`` is one of :data:`probe.variants.split.PARTS`, null where
#: the variant was taught no facts.
TRANSITIONS = pa.schema(
    {
        "fact": pa.string(),
        "lang": pa.string(),
        "relation": pa.string(),
        "subject_uri": pa.string(),
        "variant": pa.string(),
        "before": pa.float64(),
        "after": pa.float64(),
        "change": pa.string(),
        "taught": pa.string(),
    }
)


class Changed(NamedTuple):
    """``frame`` has the columns of :data:`TRANSITIONS`; ``only_before`` and ``only_after`` count the facts that one of
    the two models gave no answer to, which are in no table."""

    frame: pd.DataFrame
    only_before: int
    only_after: int


def changed(variant: str, before: pd.DataFrame, after: pd.DataFrame, split: Split | None) -> Changed:
    """From the answers of both models (:func:`probe.pairs.answers`, with names).

    Raises FactrootsError where they share none.
    """
    both = before.merge(after, on=ITEM, suffixes=("_before", "_after"))
    if both.empty:
        raise FactrootsError(f"{variant} and its base answer no fact in common")
    both = both.rename(columns={"item": "fact", "p1_before": "before", "p1_after": "after"})
    both = both.assign(variant=variant, change=change(both["before"], both["after"]), taught=parts(both, split))
    return Changed(both[TRANSITIONS.names], len(before) - len(both), len(after) - len(both))


def change(before, after) -> np.ndarray:
    """The kind (:data:`KINDS`) of every pair of P@1."""
    knew, knows = np.asarray(before) >= 0.5, np.asarray(after) >= 0.5
    return np.select([knew & knows, knows, knew], KINDS[:3], KINDS[3]).astype(object)


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """How many facts there are of each kind."""
    found = frame["change"].value_counts()
    return {kind: int(found.get(kind, 0)) for kind in KINDS}


def mcnemar(gained: int, lost: int) -> float:
    """Exact two-sided p-value that as many are gained as lost (McNemar 1947, by the binomial distribution)."""
    return float(min(1.0, 2 * binom.cdf(min(gained, lost), gained + lost, 0.5)))
