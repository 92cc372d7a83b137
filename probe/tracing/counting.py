"""Which things stand in which units, counted: the sums that presence is made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

#: How many units are kept of each pair as evidence.
KEPT = 5


class Adjacency(NamedTuple):
    """Each pair once, at one of its things: thing `i`'s are ``other[starts[i]:starts[i + 1]]``, and their numbers."""

    starts: np.ndarray
    other: np.ndarray
    pair: np.ndarray


class Counts(NamedTuple):
    """Numbers of units: that hold a thing, that hold both things of a pair, and all there are.

    evidence : rows of the corpus, [kept pairs, KEPT, 2], where a pair's first and second thing stand, -1 for none.
    """

    things: np.ndarray
    pairs: np.ndarray
    evidence: np.ndarray
    units: np.ndarray


def fresh(things: int, pairs: int, kept: int) -> Counts:
    """Nothing counted yet; evidence is kept of the first `kept` pairs."""
    return Counts(
        np.zeros(things, np.int64),
        np.zeros(pairs, np.int64),
        np.full((kept, KEPT, 2), -1, np.int64),
        np.zeros(1, np.int64),
    )


def adjacency(pairs: np.ndarray, things: int) -> Adjacency:
    """The pairs [n, 2] laid out by thing, each at that of its two which has fewer."""
    degree = np.bincount(pairs.ravel(), minlength=things)
    swap = degree[pairs[:, 0]] > degree[pairs[:, 1]]
    at = np.where(swap, pairs[:, 1], pairs[:, 0])
    order = np.argsort(at, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=things))])
    other = np.where(swap, pairs[:, 0], pairs[:, 1])[order]
    return Adjacency(starts.astype(np.int64), other.astype(np.int32), order.astype(np.int32))


def count(units, row, start, stop, name, owners, starts, near: Adjacency, pairs, counts: Counts) -> None:
    """Add mentions to `counts`. They stand sorted by `units`, and no unit comes in two calls.

    Two things stand together where each is mentioned and not all mentions are one and the same: a country whose
    capital bears its name needs two.
    """
    _count(units, row, start, stop, name, owners, starts, *near, pairs, *counts[:3])


@njit(cache=True, nogil=True)
def _count(units, row, start, stop, name, owners, starts, near, other, pair, pairs, in_thing, in_pair, evidence):
    things = len(in_thing)
    seen = np.full(things, -1, np.int64)  # the last unit that a thing was seen in
    often = np.zeros(things, np.int32)
    first = np.zeros(things, np.int64)
    here = np.empty(things, np.int32)
    at = 0
    while at < len(units):
        unit, held = units[at], 0
        while at < len(units) and units[at] == unit:
            for k in range(starts[name[at]], starts[name[at] + 1]):
                thing = owners[k]
                if seen[thing] != unit:
                    seen[thing], often[thing], first[thing] = unit, 0, at
                    here[held] = thing
                    held += 1
                often[thing] += 1
            at += 1
        for thing in here[:held]:
            in_thing[thing] += 1
            for k in range(near[thing], near[thing + 1]):
                if seen[other[k]] == unit and not _one(thing, other[k], often, first, row, start, stop):
                    _note(pair[k], pairs, first, row, in_pair, evidence)


@njit(cache=True, nogil=True)
def _one(thing, other, often, first, row, start, stop):
    """Whether all that mentions the two is one mention of both."""
    a, b = first[thing], first[other]
    same = row[a] == row[b] and start[a] == start[b] and stop[a] == stop[b]
    return same and often[thing] == 1 and often[other] == 1


@njit(cache=True, nogil=True)
def _note(number, pairs, first, row, in_pair, evidence):
    """Count a unit for a pair, and keep where it is, if few are kept yet."""
    if number < len(evidence) and in_pair[number] < evidence.shape[1]:
        for side in range(2):
            evidence[number, in_pair[number], side] = row[first[pairs[number, side]]]
    in_pair[number] += 1
