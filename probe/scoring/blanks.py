"""Masks that are filled in step by step: which to look at next, and what a prediction changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def every(cells: np.ndarray, _: np.ndarray) -> np.ndarray:
    """All of the cells [n, K]."""
    return cells


def first(cells: np.ndarray, _: np.ndarray) -> np.ndarray:
    """The first of the cells of each row."""
    return cells & (cells.cumsum(axis=1) == 1)


def likeliest(cells: np.ndarray, logprob: np.ndarray) -> np.ndarray:
    """The cell with the highest log-probability in each row; the first of equals."""
    return cells & (np.arange(cells.shape[1]) == np.where(cells, logprob, -np.inf).argmax(axis=1)[:, None])


#: How masks are filled in at first: those that are looked at, and of those the ones that are filled in.
INITS = {"all": (every, every), "left": (first, every), "confidence": (every, likeliest)}

#: How predictions are made again: how many masks a pass looks at, of `n`, and which comes next.
ITERATIONS = {
    "none": (lambda n: 0 * n, lambda blanks: 0 * blanks.step),
    "left": (lambda n: n, lambda blanks: blanks.step),
    "confidence": (lambda n: n**0, lambda blanks: np.where(blanks.real, blanks.logprob, np.inf).argmin(axis=1)),
}


class Blanks:
    """n sequences of token ids with up to K masks each.

    tokens, logprob : int64, float32 [n, K], what is filled in and log p of it when it was filled in.
    real, open : bool [n, K], the cells that are masks, and those that are not filled in yet.
    finite : bool [n], whether every prediction so far was a number.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], mask: int, init: str, iterate: str):
        at = [[i for i, token in enumerate(s) if token == mask] for s in sequences]
        self.sequences, self.mask = sequences, mask
        self.lengths, counts = [len(s) for s in sequences], np.array([len(a) for a in at])
        self.real = np.arange(max(counts)) < counts[:, None]
        self.at = np.zeros(self.real.shape, dtype=np.int64)
        self.at[self.real] = [i for a in at for i in a]
        self.tokens = np.full(self.real.shape, mask)
        self.logprob = np.zeros(self.real.shape, dtype=np.float32)
        self.open = self.real.copy()
        self.finite = np.ones(len(counts), dtype=bool)
        self._look, self._take = INITS[init]
        spans, self._next = ITERATIONS[iterate]
        self._span = spans(counts)
        self.step = np.zeros_like(counts)  # masks that this pass has looked at again
        self._moved = np.zeros(len(counts), dtype=bool)  # whether it has changed any
        self._going = np.ones(len(counts), dtype=bool)

    def wanted(self) -> np.ndarray:
        """The cells [n, K] whose tokens are to be predicted now; none in a row that is finished."""
        again = ~self.open.any(axis=1)
        self._going &= self.finite & ~(again & (self._span == 0))
        return np.where(again[:, None], self._one(self._next(self)), self._look(self.open, None)) & self._going[:, None]

    def sequence(self, row: int, wanted: np.ndarray) -> list[int]:
        """A row as the model is to read it: masks where it is open or wanted, else what is filled in."""
        ids = list(self.sequences[row])
        for k in np.flatnonzero(self.real[row]):
            ids[self.at[row, k]] = self.mask if self.open[row, k] or wanted[row, k] else int(self.tokens[row, k])
        return ids

    def fill(self, wanted: np.ndarray, tokens: np.ndarray, logprob: np.ndarray) -> None:
        """Take predictions [n, K] at the wanted cells; a token that is there already keeps its log-probability."""
        self.finite &= np.isfinite(np.where(wanted, logprob, 0)).all(axis=1)
        again = wanted.any(axis=1) & ~self.open.any(axis=1)
        taken = self._take(wanted, logprob)  # of the one cell that a row predicts again, that one
        new = taken & (self.open | (tokens != self.tokens))
        self.tokens, self.logprob = np.where(new, tokens, self.tokens), np.where(new, logprob, self.logprob)
        self.open &= ~taken
        self._moved |= again & new.any(axis=1)
        self.step += again
        ended = again & (self.step == self._span)
        self._going &= ~ended | self._moved
        self.step[ended], self._moved[ended] = 0, False

    def _one(self, cell: np.ndarray) -> np.ndarray:
        return np.arange(self.real.shape[1]) == cell[:, None]
