"""The first k of many values, in one order whatever the batches: descending, and by index where they are equal."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from probe.tracing.neurons.importance import block


class Top(NamedTuple):
    """The first k neurons of n facts: int32 and float32 [n, k], by descending weight."""

    neurons: np.ndarray
    weights: np.ndarray


def top(values: np.ndarray, k: int) -> Top:
    """The first `k` of each row of `values` [n, N], N >= k."""
    least = np.partition(values, -k, axis=1)[:, -k, None]
    above, equal = values > least, values == least
    kept = above | (equal & (equal.cumsum(axis=1) <= k - above.sum(axis=1, keepdims=True)))
    index = np.nonzero(kept)[1].reshape(len(values), k)
    chosen = np.take_along_axis(values, index, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")
    return Top(*(np.take_along_axis(part, order, axis=1) for part in (index.astype(np.int32), chosen)))


def merged(one: Top, other: Top, k: int) -> Top:
    """The first k of two tops, all of `one`'s neurons coming before those of `other` in index."""
    neurons, weights = (np.concatenate(pair, axis=1) for pair in zip(one, other, strict=True))
    order = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    return Top(*(np.take_along_axis(part, order, axis=1) for part in (neurons, weights)))


def contrasted(values: np.ndarray, contrast: Callable[[np.ndarray], np.ndarray], k: int) -> Top:
    """The first k of `contrast(values)` [K, N], some columns at a time."""
    found, width = None, values.shape[1]
    step = block(len(values))
    for start in range(0, width, step):
        own = contrast(np.array(values[:, start : start + step]))
        part = top(own, min(k, own.shape[1]))
        part = part._replace(neurons=part.neurons + np.int32(start))
        found = part if found is None else merged(found, part, k)
    return found


@contextmanager
def spilled(rows: int, width: int) -> Iterator[np.ndarray]:
    """A table float32 [rows, width] on the disk, gone after the block: the facts of a relation may be thousands.

    Raises OSError where there is no room for it.
    """
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):  # else a full disk ends the process, without a word, when it is written to
            os.posix_fallocate(file.fileno(), 0, rows * width * 4)
        yield np.memmap(file, np.float32, "w+", shape=(rows, width))
