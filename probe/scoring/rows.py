"""Nodes of a trie laid out in rows that a model reads in one pass, each node once and its ancestors with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from probe.scoring.trie import Trie

#: New nodes that a row of a tree holds: more share their ancestors better, but attention grows with the square.
ROOM = 256


class Row(NamedTuple):
    """`nodes` in preorder, ancestors first; those from `fresh` on stand in no earlier row."""

    nodes: np.ndarray
    fresh: int


def paths(trie: Trie, wanted: np.ndarray) -> list[Row]:
    """Rows of one path each, as any causal LM can read them. `wanted` [w] are nodes with all their ancestors."""
    # a node is the tip of a path when the next in preorder is not below it
    tips = np.flatnonzero(np.append(wanted[1:], len(trie)) >= trie.end[wanted])
    rows, before = [], -1
    for tip in tips:
        nodes = trie.path(wanted[tip])
        rows.append(Row(nodes, len(nodes) - (tip - before)))
        before = tip
    return rows


def trees(trie: Trie, wanted: np.ndarray, widest: int | None = None) -> list[Row]:
    """Rows of many branches, for tree attention. A row starts with the path to its first new node.

    Each holds at most :data:`ROOM` new nodes, or twice as many as ancestors where those are many, and at most `widest`
    in all; it ends where the next has few ancestors to repeat.
    """
    rows, start, depth = [], 0, trie.depth[wanted]
    while start < len(wanted):
        above, left = depth[start], len(wanted) - start
        most = max(ROOM, 2 * above)
        if widest is not None:
            most = max(1, min(most, widest - above))
        even = -(-left // -(-left // most))  # what is left in rows of one length, which need no padding
        end = start + even
        if end < len(wanted):
            least = start + max(1, even * 7 // 8)
            end -= np.argmin(depth[least : end + 1][::-1])
        rows.append(Row(np.concatenate([trie.path(wanted[start])[:-1], wanted[start:end]]), int(above)))
        start = end
    return rows


def groups(rows: list[Row], tokens: int) -> Iterator[list[Row]]:
    """Rows of like length together, at most `tokens` once padded (at least one row)."""
    group: list[Row] = []
    for row in sorted(rows, key=lambda row: -len(row.nodes)):
        if group and (len(group) + 1) * len(group[0].nodes) > tokens:
            yield group
            group = []
        group.append(row)
    if group:
        yield group
