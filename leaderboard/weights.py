"""A score as a sum over answers: what each weighs, in a sample or in many, by the protocol's aggregation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd


class Weights(NamedTuple):
    """Of one language's items [samples, items], and what they are divided by, summed over languages [samples]."""

    items: np.ndarray
    total: np.ndarray


def weights(times: np.ndarray, relations: np.ndarray, how: str) -> Weights:
    """Weights from how often each item of a language counts [samples, items]; 0 is not at all.

    `relations` are the places where each relation's items begin. `how` is as in
    :func:`probe.uncertainty.aggregate`: a relation that a sample does not hold takes no part in that sample's mean.
    """
    if how == "micro":
        return Weights(times, times.sum(axis=1))
    counts = np.add.reduceat(times, relations, axis=1)
    present = (counts > 0).sum(axis=1, keepdims=True)
    each = 1.0 / (np.maximum(counts, 1.0) * np.maximum(present, 1))
    widths = np.diff([*relations, times.shape[1]])
    return Weights(times * np.repeat(each, widths, axis=1), (present[:, 0] > 0).astype(float))


def by_language(items: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
    """Of items in order of language and relation: each language's places, and where in them its relations begin."""
    begin = _begins(items["lang"])
    for start, end in zip(begin, [*begin[1:], len(items)], strict=True):
        yield slice(start, end), _begins(items["relation"].iloc[start:end])


def _begins(names: pd.Series) -> np.ndarray:
    values = names.to_numpy(object)
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def of_sample(items: pd.DataFrame, how: str) -> np.ndarray:
    """What each item weighs in the sample's own score [items], in sum 1; `items` are in order as above."""
    found = [weights(np.ones((1, own.stop - own.start)), relations, how) for own, relations in by_language(items)]
    return np.concatenate([one.items[0] for one in found]) / sum(one.total[0] for one in found)
