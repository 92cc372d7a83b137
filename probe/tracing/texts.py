"""The two ways of reading text: by its characters, and by a model's word-pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
from numba import njit

from probe.tracing.characters import CLOSED, OPEN
from probe.tracing.folding import EDGE_SHIFT, SINGLE, Symbols, alphabet, read


class Reader(Protocol):
    """Text and names as symbols: ``names`` in the order given."""

    names: list[np.ndarray]

    def read(self, texts: pa.Array) -> Symbols: ...


class Characters:
    """Folded characters."""

    def __init__(self, names: Sequence[str], fold: str):
        self._alphabet = alphabet(list(names), fold)
        self.names = [self._alphabet.encode(name) for name in names]

    def read(self, texts: pa.Array) -> Symbols:
        return read(texts, self._alphabet)


class Pieces:
    """The word-pieces of a tokenizer: a name is found wherever its sequence stands, as Zhao et al. (2024) grep it."""

    def __init__(self, names: Sequence[str], tokenizer):
        self._tokenizer = tokenizer
        spelled = self._spell(list(names))
        pieces = np.unique(np.concatenate([np.asarray(ids) for ids in spelled] or [[]])).astype(np.int64)
        self._symbols = np.zeros(max(len(tokenizer), int(pieces.max(initial=0)) + 1), np.int32)
        self._symbols[pieces] = np.arange(1, len(pieces) + 1)
        self.names = [self._symbols[np.asarray(ids, np.int64)] for ids in spelled]

    def read(self, texts: pa.Array) -> Symbols:
        spelled = self._spell(texts.to_pylist())
        rows = np.cumsum([0, *map(len, spelled)])
        flat = np.fromiter((piece for ids in spelled for piece in ids), np.int64, rows[-1])
        return Symbols(self._symbols[flat] | np.int32(SINGLE), rows)

    def _spell(self, texts: list[str]) -> list[list[int]]:
        return self._tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []


@njit(cache=True, nogil=True)
def tokens(symbols, rows):
    """How many tokens have begun in its row up to each symbol, itself included, [n]; and each row's number of them."""
    begun = np.empty(len(symbols), np.int32)
    totals = np.zeros(len(rows) - 1, np.int64)
    for row in range(len(rows) - 1):
        count, inside = 0, False
        for at in range(rows[row], rows[row + 1]):
            edge = (symbols[at] >> EDGE_SHIFT) & 3
            letter = edge in (CLOSED, OPEN)
            if symbols[at] & SINGLE or (letter and not inside):
                count += 1
            inside = letter
            begun[at] = count
        totals[row] = count
    return begun, totals
