"""What presence would find if facts were none: subjects with the objects of other facts of their relation.

Two names can stand in one sentence by chance, above all frequent ones. How often they do is measured in the same pass
on pairs of the same types that no fact joins, and gives the share of presences that say nothing.
"""

from __future__ import annotations

import numpy as np


def shuffled(pairs: np.ndarray, relations: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs [n, 2] of a fact's subject and another's object, and their relations [n].

    Each relation's objects are permuted; what is a fact of any relation, or a thing with itself, is left out.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    mixed = pairs.copy()
    for name in np.unique(relations):
        rows = np.flatnonzero(relations == name)
        mixed[rows, 1] = pairs[generator.permutation(rows), 1]
    width = int(pairs.max(initial=0)) + 1
    fits = ~np.isin(_keys(mixed, width), _keys(pairs, width)) & (mixed[:, 0] != mixed[:, 1])
    return mixed[fits], relations[fits]


def _keys(pairs: np.ndarray, width: int) -> np.ndarray:
    """One number for a pair, whichever of the two stands first."""
    ordered = np.sort(pairs.astype(np.int64), axis=1)
    return ordered[:, 0] * width + ordered[:, 1]
