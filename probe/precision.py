"""What a smaller number format changes: the same items in float32, and how many ranks differ.

A run in bfloat16 or float16 is followed by a small one in float32 over some of its own items, in the folder
``float32`` beside its files. The facts are the first of the run's own order by hash, so they are among its items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from data_builders.factset import FactSet
from probe.protocols import Protocol
from probe.results import Precision
from probe.store import Store

#: Facts of each relation and language that are asked again, and the share where a run's sample is itself a share.
FACTS, SHARE = 10, 0.1
_ITEM = ["lang", "relation", "item", "template"]


def fewer(spec: FactSet) -> FactSet:
    """The facts that are asked again. All of them where candidates depend on which facts are asked."""
    if spec.candidates:
        return spec
    if isinstance(spec.sample, float):
        return replace(spec, sample=spec.sample * SHARE)
    return replace(spec, sample=min(spec.sample or FACTS, FACTS))


def beside(store: Store) -> Store:
    """Where the float32 run of a run lies."""
    return Store(Path(store.folder) / "float32")


def compare(store: Store, frames: Sequence[pd.DataFrame], protocol: Protocol, gold: str) -> Precision | None:
    """How many of the items asked in both formats have another rank of the gold, or another P@1; None of a float32 run.

    `frames` hold the run's own judged answers, a language each.
    """
    if store.read()["model"]["dtype"] == "float32" or not (beside(store).folder / "run.json").exists():
        return None
    from probe.scores import judge

    again = [one.frame for one in judge(beside(store), protocol, gold).values()]
    rough, exact = (pd.concat(part).astype({"lang": str, "relation": str}) for part in (frames, again))
    both = rough.merge(exact, on=_ITEM, suffixes=("", "_exact"))
    ranks = None if both["rr"].isna().any() else int((~np.isclose(both["rr"], both["rr_exact"])).sum())
    answers = int((~np.isclose(both["p1"], both["p1_exact"])).sum())
    return Precision(items=len(both), ranks_differ=ranks, answers_differ=answers)
