"""Do languages know the same facts, and do they make the same mistakes?

P@1 of a fact may lie between 0 and 1, where candidates tie. It then is the chance of being right, and ties are broken
in each language on its own: both are right with the product of the chances. No threshold makes a half a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array


class Known(NamedTuple):
    """How far a fact is known in both languages, and in one of them or both; [n] each."""

    both: np.ndarray
    either: np.ndarray


def known(a: np.ndarray, b: np.ndarray) -> Known:
    """From P@1 [n] of the same facts in two languages.

    Σ both / Σ either is COverlap (Qi et al., EMNLP 2023) and, a fact having one item, Jaccard's index of what is known.
    """
    return Known(a * b, a + b - a * b)


def independent(a: np.ndarray, b: np.ndarray, relation: np.ndarray) -> Known:
    """The same for languages that know as much of each relation [n], but not the same facts: each its mean P@1."""
    groups, number = np.unique(relation, return_inverse=True)
    counts = np.bincount(number, minlength=len(groups))
    return known(*((np.bincount(number, values, minlength=len(groups)) / counts)[number] for values in (a, b)))


class Unanimous(NamedTuple):
    """The chance [n] that all languages give one answer; and that they do, and it is wrong."""

    agree: np.ndarray
    wrong: np.ndarray


def unanimous(answers: Sequence[csr_array], gold: np.ndarray) -> Unanimous:
    """From each language's :func:`probe.consistency.answers` [n, c] and what is right in any of them [n, c]."""
    together = reduce(lambda one, other: one.multiply(other), answers)
    agree = together.sum(axis=1)
    return Unanimous(agree, agree - together.multiply(gold).sum(axis=1))
