"""Token sequences as a trie: what they share is there once. Built with whole-array operations, a node is a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Trie:
    """The distinct prefixes of S sequences of which all begin with the same token, N nodes in preorder (DFS).

    The nodes below `n`, itself included, are those of n .. end[n] - 1, so `a` is an ancestor of `b`, or `b` itself,
    just when a <= b < end[a].

    lengths : int64 [S], the tokens of each sequence.
    paths : int64 [S, T], the node of each token of each sequence; -1 after its end.
    token, depth, parent, end : int64 [N]; the root has depth 0 and parent -1.
    inner : bool [N], nodes that have children: what a model must read. A leaf it only has to predict.
    """

    def __init__(self, sequences: Sequence[Sequence[int]]):
        self.lengths = np.array([len(s) for s in sequences])
        ids = np.full((len(sequences), self.lengths.max()), -1)
        ids[np.arange(ids.shape[1]) < self.lengths[:, None]] = np.concatenate(sequences)
        order = np.lexsort(ids.T[::-1])
        ids = ids[order]
        # Of each sequence what the one before it has too is no new node; padding never is.
        new = np.ones(ids.shape, dtype=bool)
        new[1:] = np.logical_or.accumulate(ids[1:] != ids[:-1], axis=1)
        new &= ids >= 0
        number = np.where(new, new.cumsum().reshape(new.shape) - 1, -1)
        paths = np.maximum.accumulate(number, axis=0)  # a node that is not new is the last new one of its column
        paths[ids < 0] = -1
        row, self.depth = new.nonzero()
        self.token = ids[new]
        self.parent = np.where(self.depth > 0, paths[row, self.depth - 1], -1)
        last = np.empty(len(row), dtype=np.int64)
        where = (paths >= 0).nonzero()
        last[paths[where]] = where[0]  # of repeated places the last assignment stays
        self.end = new.sum(axis=1).cumsum()[last]  # the nodes of this and all sequences before it
        self.inner = np.zeros(len(row), dtype=bool)
        self.inner[self.parent[self.depth > 0]] = True
        self.paths = np.empty_like(paths)
        self.paths[order] = paths
        self._sequence = order[row]

    def __len__(self) -> int:
        return len(self.token)

    def path(self, node: int) -> np.ndarray:
        """The nodes from the root to `node`, both included."""
        return self.paths[self._sequence[node], : self.depth[node] + 1]
