"""Filters of a table of facts: each takes and returns an Arrow table, and knows nothing of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.errors import FactrootsError


def relations(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Only facts of these relations."""
    return table.filter(pc.is_in(table["relation"], value_set=pa.array(names)))


def no_leaks(table: pa.Table) -> pa.Table:
    """Without facts whose subject contains the object (case ignored): their answer stands in the question."""
    pairs = zip(table["subject"].to_pylist(), table["object"].to_pylist(), strict=True)
    return table.filter(pa.array([o.casefold() not in s.casefold() for s, o in pairs], pa.bool_()))


def one_token(table: pa.Table, pieces: Callable[[list[str]], Sequence[int]] | None) -> pa.Table:
    """Only facts whose object is one token, as `pieces` counts them."""
    if pieces is None:
        raise FactrootsError("one_token needs a model's tokenizer: it works in `probe run`, not on a fact set alone")
    labels = table["object"].unique()
    kept = labels.filter(pa.array(np.asarray(pieces(labels.to_pylist())) == 1))
    return table.filter(pc.is_in(table["object"], value_set=kept))


def sample(table: pa.Table, share: float) -> pa.Table:
    """The facts whose hash falls into the first `share` of its range; independent of order, language and run."""
    bound = int(share * 2**64)
    return table.filter(pa.array([head < bound for head in _heads(table)], pa.bool_()))


def some(table: pa.Table, count: int) -> pa.Table:
    """Of each relation the `count` facts with the smallest hashes, or all that it has; in the table's order.

    A fact that is chosen from some facts is also chosen from fewer of them. So a language that lacks facts of
    another has all of its chosen facts, as far as it has them at all.
    """
    relation = np.unique(table["relation"].to_numpy(), return_inverse=True)[1]
    order = np.lexsort((np.array(_heads(table), np.uint64), relation))
    start = np.searchsorted(relation[order], relation[order])  # where in `order` each fact's relation begins
    return table.take(np.sort(order[np.arange(len(table)) - start < count]))


def _heads(table: pa.Table) -> list[int]:
    """The first 64 bits of each fact's hash."""
    return [int.from_bytes(hashlib.sha256(k.encode()).digest()[:8], "big") for k in table["fact"].to_pylist()]
