"""The best k sentences of each ask without reading all: a sum of log-probabilities only falls as a sentence goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probe.scoring.trie import Trie

#: Places that each ask goes on from in its first wave; twice as many in every next one.
WIDTH = 8

Sums = Callable[[np.ndarray], np.ndarray]


def best_first(trie: Trie, ask: np.ndarray, best: int, read: Callable[[np.ndarray], None], sums: Sums) -> np.ndarray:
    """Sums float64 [S] of the sequences of `trie`, sequence s being one of ask `ask[s]`; -inf where cut short.

    `read(nodes)` has the model read nodes that hold all their ancestors, `sums(known)` adds up the first `known[s]`
    tokens of each sequence. A sequence goes no further once its sum is below its ask's `best`-th complete one, which
    is exact. All asks go on together: in each wave from their most probable places, each to where the ask's own
    sequences part next.
    """
    count = _shared_by(trie, ask)
    was_read, width = np.zeros(len(trie), dtype=bool), max(WIDTH, best)
    while True:
        known = np.minimum(trie.lengths, 1 + (was_read[trie.paths] & (trie.paths >= 0)).sum(axis=1))
        total, complete = sums(known), known == trie.lengths
        bound = _best_complete(np.where(complete & ~np.isnan(total), total, -np.inf), ask, best)
        open_ = np.flatnonzero(~complete & (total >= bound[ask]))  # NaN goes no further and stays NaN
        if not len(open_):
            return np.where(complete | np.isnan(total), total, -np.inf)
        _, first = np.unique(ask[open_] * len(trie) + trie.paths[open_, known[open_] - 1], return_index=True)
        places = open_[first]  # one sequence for each place that an ask could go on from
        places = places[np.lexsort((-total[places], ask[places]))]
        chosen = places[np.arange(len(places)) - np.searchsorted(ask[places], ask[places]) < width]
        together = count[chosen] == count[chosen, known[chosen] - 1][:, None]
        together |= np.arange(count.shape[1]) < known[chosen, None]
        nodes = np.unique(trie.paths[chosen][together & (trie.paths[chosen] >= 0)])
        nodes = nodes[trie.inner[nodes]]
        read(nodes)
        was_read[nodes] = True
        width *= 2


def _shared_by(trie: Trie, ask: np.ndarray) -> np.ndarray:
    """How many sequences of the same ask go through each token's node, int64 [S, T]."""
    _, inverse, counts = np.unique(
        ask[:, None] * (len(trie) + 1) + trie.paths + 1, return_inverse=True, return_counts=True
    )
    return counts[inverse].reshape(trie.paths.shape)


def _best_complete(total: np.ndarray, ask: np.ndarray, best: int) -> np.ndarray:
    """The `best`-th highest total of each ask, -inf where there are fewer."""
    sizes = np.bincount(ask)
    enough = sizes >= best
    bound = np.full(len(sizes), -np.inf)
    bound[enough] = total[np.lexsort((-total, ask))][(sizes.cumsum() - sizes)[enough] + best - 1]
    return bound
