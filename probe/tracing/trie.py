"""Names as a double-array trie over symbols, and the scan that finds them in a text.

A name can begin at few places of a text, the beginnings of words where there are words, so walking the trie from each
of these does less than an automaton that follows every symbol with failure links: most walks end after two or three
symbols. The double array is Aoe's (1989): the child of `state` by `symbol` is ``base[state] + symbol``, if
``check`` there says that it is `state`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from probe.tracing.characters import CLOSED, FREE
from probe.tracing.folding import EDGE_SHIFT, SYMBOL


class Trie(NamedTuple):
    """State 0 is the root, and name ids stand in ``name`` (-1 where none ends); ``deepest`` is the longest's length."""

    base: np.ndarray
    check: np.ndarray
    name: np.ndarray
    deepest: int


class Mentions(NamedTuple):
    """Where names stand, in reading order: the row, the symbols [start, stop) of that row, and the name's id."""

    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    name: np.ndarray


def build(names: Sequence[np.ndarray]) -> Trie:
    """The trie of distinct, non-empty names, each an array of symbols from 1 on; a name's id is its place."""
    order = sorted(range(len(names)), key=lambda i: names[i].tolist())
    lengths = np.array([len(names[i]) for i in order], np.int64)
    flat = np.concatenate([names[i] for i in order] or [np.empty(0)]).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Trie(*_build(flat, starts, np.array(order, np.int32), int(flat.max(initial=0))), int(lengths.max(initial=0)))


def scan(symbols: np.ndarray, rows: np.ndarray, trie: Trie) -> Mentions:
    """All mentions in a block of text, by row and start, the shorter first.

    symbols : packed as :mod:`probe.tracing.folding` says, [n]; row `i` is ``symbols[rows[i]:rows[i + 1]]``.
    """
    return Mentions(*_scan(symbols, rows, *trie))


def longest(mentions: Mentions) -> Mentions:
    """Those that do not stand inside a longer one."""
    ends = mentions.row.astype(np.int64) << 32 | mentions.stop
    reached = np.maximum.accumulate(ends)
    kept = np.ones(len(ends), bool)
    kept[1:] = ends[1:] > reached[:-1]
    kept[:-1] &= (mentions.row[1:] != mentions.row[:-1]) | (mentions.start[1:] != mentions.start[:-1])
    return Mentions(*(part[kept] for part in mentions))


@njit(cache=True, nogil=True)
def _build(flat, starts, ids, widest):
    """Breadth first over ranges of the sorted names that share their first `depth` symbols."""
    size = 1 << 12
    base, check, name = np.zeros(size, np.int32), np.full(size, -1, np.int32), np.full(size, -1, np.int32)
    check[0] = 0
    queue = np.zeros((len(flat) + 1, 4), np.int64)  # state, first name, last name, depth
    queue[0, 2] = len(ids)
    queued, free = 1, 1
    children, bounds = np.empty(widest + 1, np.int32), np.empty(widest + 2, np.int64)
    at = 0
    while at < queued:
        state, low, high, depth = queue[at]
        at += 1
        if low < high and starts[low + 1] - starts[low] == depth:
            name[state] = ids[low]
            low += 1
        count = _children(flat, starts, low, high, depth, children, bounds)
        if count == 0:
            continue
        free, offset = _place(check, free, children, count, widest)
        while offset + widest + 2 >= size:
            base, check, name, size = _grow(base, check, name, size)
            free, offset = _place(check, free, children, count, widest)
        base[state] = offset
        for k in range(count):
            check[offset + children[k]] = state
            queue[queued] = offset + children[k], bounds[k], bounds[k + 1], depth + 1
            queued += 1
    return base, check, name


@njit(cache=True, nogil=True)
def _children(flat, starts, low, high, depth, children, bounds):
    """The distinct symbols at `depth` of the names [low, high), and where each one's names begin; their number."""
    count = 0
    for i in range(low, high):
        symbol = flat[starts[i] + depth]
        if count == 0 or children[count - 1] != symbol:
            children[count], bounds[count] = symbol, i
            count += 1
    bounds[count] = high
    return count


@njit(cache=True, nogil=True)
def _place(check, free, children, count, widest):
    """The first free slot, and the first offset from there on that puts all children on free slots.

    An offset too near the end for that to be known asks for a longer array.
    """
    while free < len(check) and check[free] >= 0:
        free += 1
    offset = max(0, free - children[0])
    while offset + widest + 2 < len(check):
        taken = False
        for k in range(count):
            taken |= check[offset + children[k]] >= 0
        if not taken:
            break
        offset += 1
    return free, offset


@njit(cache=True, nogil=True)
def _grow(base, check, name, size):
    none = np.full(size, -1, np.int32)
    more = np.concatenate((base, np.zeros(size, np.int32)))
    return more, np.concatenate((check, none)), np.concatenate((name, none)), 2 * size


@njit(cache=True, nogil=True)
def _scan(symbols, rows, base, check, name, deepest):
    found, out = 0, np.empty((4, 1024 + deepest), np.int32)
    for row in range(len(rows) - 1):
        begin, end = rows[row], rows[row + 1]
        before = FREE
        for at in range(begin, end):
            edge = (symbols[at] >> EDGE_SHIFT) & 3
            inside = edge == before and edge != FREE
            before = edge
            if inside or symbols[at] & SYMBOL == 0:
                continue
            if found + deepest > out.shape[1]:
                out = np.concatenate((out, np.empty_like(out)), axis=1)
            found = _walk(symbols, begin, at, end, base, check, name, row, found, out)
    return out[0, :found].copy(), out[1, :found].copy(), out[2, :found].copy(), out[3, :found].copy()


@njit(inline="always")
def _walk(symbols, begin, start, end, base, check, name, row, found, out):
    """Note in `out` every name that begins at `start`, from place `found` on; the next place."""
    state = 0
    for at in range(start, end):
        child = base[state] + (symbols[at] & SYMBOL)
        if check[child] != state:  # symbol 0 leads nowhere: no name holds it
            break
        state = child
        if name[state] >= 0 and (at + 1 == end or not _both_closed(symbols[at], symbols[at + 1])):
            out[0, found], out[1, found], out[2, found], out[3, found] = row, start - begin, at + 1 - begin, name[state]
            found += 1
    return found


@njit(inline="always")
def _both_closed(one, two):
    return (one >> EDGE_SHIFT) & 3 == CLOSED and (two >> EDGE_SHIFT) & 3 == CLOSED
