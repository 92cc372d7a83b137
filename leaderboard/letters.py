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
            group = _grown(alike, [first], uncovered)
            uncovered[np.ix_(group, group)] = False
            yield group
            if alone:
                break


def _grown(alike: np.ndarray, group: list[int], uncovered: np.ndarray) -> list[int]:
    """The first uncovered partner, then whoever is like all that are in."""
    able = alike[group[0]].copy()
    able[group] = False
    if uncovered[group[0]].any():
        group = [*group, int(np.flatnonzero(uncovered[group[0]])[0])]
        able &= alike[group[1]]
        able[group[1]] = False
    while able.any():
        group = [*group, int(np.flatnonzero(able)[0])]
        able &= alike[group[-1]]
        able[group[-1]] = False
    return sorted(group)


def _names() -> Iterator[str]:
    """a, b, … z, a1, b1, …"""
    round_ = 0
    while True:
        yield from (f"{letter}{round_ or ''}" for letter in ascii_lowercase)
        round_ += 1
