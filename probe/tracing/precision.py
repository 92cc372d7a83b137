"""How often a presence says nothing: what shuffled facts show of chance, and what is left when it is taken away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy.stats import beta

LEVEL = 0.95


class Threshold(NamedTuple):
    """What a presence needs: so many units, and so many times those that chance would give."""

    units: int = 1
    lift: float = 0.0

    def met(self, table: pa.Table) -> np.ndarray:
        """Which rows of a presence or of shuffled facts are present; False where a fact cannot be looked for."""
        units = table["units"].fill_null(0).to_numpy()
        lift = table["lift"].fill_null(0).to_numpy()
        return (units >= self.units) & (lift >= self.lift)


class Precision(NamedTuple):
    """Of the facts looked for, those present, those that chance alone would show, and the share that is no chance.

    ``by_chance`` is each relation's rate among shuffled facts, times its facts.
    ``precision`` is 1 - by_chance / present,
    0 at least, and None where nothing is present; its bounds are those of the pooled rate (Clopper and Pearson 1934).
    """

    facts: int
    present: int
    shuffled: int
    shuffled_present: int
    by_chance: float
    precision: float | None
    low: float | None
    high: float | None


def precision(table: pa.Table, shuffled: pa.Table, threshold: Threshold) -> Precision:
    """The precision of a language's presence. A relation without shuffled facts takes the rate of all."""
    able = table["fault"].is_null().to_numpy()
    present = int((threshold.met(table) & able).sum())
    met = threshold.met(shuffled)
    hits, tries = int(met.sum()), len(met)
    names, relation = np.unique(table["relation"].to_numpy()[able].astype(str), return_inverse=True)
    facts = np.bincount(relation, minlength=len(names))
    own = shuffled["relation"].to_numpy().astype(str)
    counts = np.array([((own == name).sum(), met[own == name].sum()) for name in names]).reshape(-1, 2)
    pooled = hits / tries if tries else 0.0
    rates = np.where(counts[:, 0] > 0, counts[:, 1] / np.maximum(counts[:, 0], 1), pooled)
    chance = float((rates * facts).sum())
    if not present or not tries:
        return Precision(int(able.sum()), present, tries, hits, chance, None, None, None)
    side = (1 - LEVEL) / 2
    least = beta.ppf(side, hits, tries - hits + 1) if hits else 0.0
    most = beta.ppf(1 - side, hits + 1, tries - hits) if hits < tries else 1.0
    bounds = [chance * rate / pooled if hits else rate * able.sum() for rate in (most, least)]
    low, high = (max(0.0, 1 - float(bound) / present) for bound in bounds)
    return Precision(int(able.sum()), present, tries, hits, chance, max(0.0, 1 - chance / present), low, high)
