"""Letters for models that are not told apart: two share a letter exactly where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase

import numpy as np


def letters(alike: np.ndarray) -> list[list[str]]:
    """The letters of each model, in order, from which pairs are not told apart [models, models], the best model first.

    A letter stands for a set of models of which no two are told apart, grown greedily from the first pair that has
    none yet: a cover of the pairs by cliques (Gramm et al. 2007, "Algorithms for compact letter displays"). All
    maximal sets, as other tools take, may be exponentially many.
    """
    alike = alike | alike.T | np.eye(len(alike), dtype=bool)
    uncovered = np.triu(alike, 1)
    found: list[list[str]] = [[] for _ in alike]
    for name, group in zip(_names(), _groups(alike, uncovered), strict=False):
        for model in group:
            found[model].append(name)
    return found


def _groups(alike: np.ndarray, uncovered: np.ndarray) -> Iterator[list[int]]:
    for first in range(len(alike)):
        alone = alike[first].sum() == 1
        while alone or uncovered[first].any():
            group = _grown(alike, uncovered | uncovered.T, first)
            uncovered[np.ix_(group, group)] = False
            yield group
            if alone:
                break


def _grown(alike: np.ndarray, uncovered: np.ndarray, first: int) -> list[int]:
    """Whoever is like all that are in, those with the most uncovered partners among them first."""
    group, able = [first], alike[first].copy()
    able[first] = False
    gain = uncovered[first].astype(int)
    while able.any():
        new = int(np.argmax(np.where(able, gain, -1)))
        group.append(new)
        able &= alike[new]
        able[new] = False
        gain += uncovered[new]
    return sorted(group)


def _names() -> Iterator[str]:
    """a, b, … z, a1, b1, …"""
    round_ = 0
    while True:
        yield from (f"{letter}{round_ or ''}" for letter in ascii_lowercase)
        round_ += 1
