"""What must be written for candidates to be predicted, all that they share once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from probe.scoring.rows import paths
from probe.scoring.trie import Trie


class Branch(NamedTuple):
    """`tokens` [length] that are written, and the trie's `nodes` [e] that are predicted at `places` [e] of them."""

    tokens: np.ndarray
    nodes: np.ndarray
    places: np.ndarray


class Written:
    """Candidates behind one token that all of them begin with, which is written already.

    labels : the numbers of the candidates that have tokens.
    tokens : int64 [N], of the trie's nodes; the first is the one that is written already.
    first : what is predicted behind that; `branches` : what must be written to predict the rest. No leaf is written.
    """

    def __init__(self, begin: int, labels: Sequence[int], tokens: Sequence[Sequence[int]]):
        self.labels = [i for i in labels if len(tokens[i])]
        trie = Trie([[begin], *([begin, *tokens[i]] for i in self.labels)])
        self.tokens, self._paths = trie.token, trie.paths[1:]
        inner = np.flatnonzero(trie.inner)
        rows = [row for row in paths(trie, inner) if len(row.nodes) > 1] if len(inner) else []
        home = np.full(len(trie), -1)  # the branch that predicts a node's children
        for number, row in enumerate(rows):
            home[row.nodes[max(1, row.fresh) :]] = number
        nodes = np.arange(1, len(trie))
        homes = home[trie.parent[nodes]]
        order = np.argsort(homes, kind="stable")
        first, *groups = np.split(nodes[order], np.searchsorted(homes[order], np.arange(len(rows))))
        self.first = Branch(trie.token[:1], first, np.zeros_like(first))
        self.branches = [
            Branch(trie.token[row.nodes[1:]], group, trie.depth[group] - 2)
            for row, group in zip(rows, groups, strict=True)
        ]

    def totals(self, logprob: np.ndarray) -> np.ndarray:
        """The sums [labels] over each candidate's tokens, of what each node is worth; `logprob[0]` is not counted."""
        return np.where(self._paths > 0, logprob[self._paths], 0).sum(axis=1, dtype=np.float32)
