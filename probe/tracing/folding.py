"""Text as symbols: UTF-8 in, one packed number a folded character out, without a Python object on the way.

Folding (:func:`probe.tracing.characters.fold`) works character by character nearly everywhere, so it is a table here.
Rows in which it does not, because a mark composes with the character before it or marks stand out of order, are
*hard*: they are folded by Python.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from probe.tracing.characters import edges, fold, marks, singles, uncased

#: A packed symbol: what the character is called in the names' alphabet (0: it is in no name), its class at a name's
#: edge, and whether it is a token of its own. In tables also: whether it folds to several (the symbol is then its place
#: among the expansions), whether it makes its row hard, and its canonical combining class.
SYMBOL, EDGE_SHIFT, SINGLE, SEVERAL, HARD_SHIFT, ORDER_SHIFT = (1 << 18) - 1, 18, 1 << 20, 1 << 21, 22, 24
HARD, KEPT = 1 << HARD_SHIFT, SEVERAL - 1


class Folds(NamedTuple):
    """Every code point's folding: ``one`` [0x110000] where it is one character; ``several`` has all others."""

    one: np.ndarray
    several: dict[int, str]


@cache
def folds(how: str) -> Folds:
    """The folding of single characters."""
    one = np.arange(sys.maxunicode + 1, dtype=np.int32)
    several = {}
    for code in np.flatnonzero(~uncased()).tolist():
        folded = fold(chr(code), how)
        if len(folded) == 1:
            one[code] = ord(folded)
        else:
            several[code] = folded
    return Folds(one, several)


class Alphabet(NamedTuple):
    """The tables that turn text into symbols: ``table`` for text as it comes, ``plain`` for text that is folded."""

    how: str
    table: np.ndarray
    plain: np.ndarray
    places: np.ndarray
    expansions: np.ndarray

    def encode(self, name: str) -> np.ndarray:
        """The symbols of a folded name."""
        return (self.plain[np.frombuffer(name.encode("utf-32-le"), np.uint32)] & SYMBOL).astype(np.int32)


def alphabet(names: list[str], how: str) -> Alphabet:
    """The alphabet of folded names."""
    characters = np.unique(np.frombuffer("".join(names).encode("utf-32-le"), np.uint32))
    symbols = np.zeros(sys.maxunicode + 1, np.int64)
    symbols[characters] = np.arange(1, len(characters) + 1)
    plain = symbols | edges().astype(np.int64) << EDGE_SHIFT | singles().astype(np.int64) * SINGLE
    one, several = folds(how)
    order, composes = marks()
    joining = order.astype(np.int64) << ORDER_SHIFT | composes * HARD
    table = plain[one] | joining
    places, expansions = [0], []
    for code, folded in several.items():
        if len(folded) > len(chr(code).encode()):
            table[code] |= HARD
            continue
        table[code] = SEVERAL | len(places) - 1 | int(joining[code])
        expansions += plain[[ord(character) for character in folded]].tolist()
        places.append(len(expansions))
    return Alphabet(how, table, plain, np.array(places, np.int32), np.array(expansions, np.int64))


class Symbols(NamedTuple):
    """A block of rows as packed symbols: row `i` is ``symbols[rows[i]:rows[i + 1]]``."""

    symbols: np.ndarray
    rows: np.ndarray


def read(texts: pa.Array, letters: Alphabet) -> Symbols:
    """Rows of text, folded, as symbols."""
    symbols, rows, hard = _decode(*_buffers(texts), letters.table, letters.places, letters.expansions)
    if not hard.any():
        return Symbols(symbols, rows)
    folded = pa.array([fold(text, letters.how) for text in texts.filter(pa.array(hard)).to_pylist()], pa.string())
    own, own_rows, _ = _decode(*_buffers(folded), letters.plain, letters.places, letters.expansions)
    return Symbols(*_mend(symbols, rows, hard, own, own_rows))


def _buffers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8), offsets


@njit(cache=True, nogil=True)
def _decode(data, offsets, table, places, expansions):
    count = len(offsets) - 1
    symbols = np.empty(offsets[count] - offsets[0], np.int32)
    rows = np.zeros(count + 1, np.int64)
    hard = np.zeros(count, np.bool_)
    n = 0
    for row in range(count):
        at, end = offsets[row], offsets[row + 1]
        order = 0
        while at < end:
            code = np.int64(data[at])
            if code < 0x80:
                at += 1
            elif code < 0xE0:
                code = (code & 0x1F) << 6 | (data[at + 1] & 0x3F)
                at += 2
            elif code < 0xF0:
                code = (code & 0x0F) << 12 | np.int64(data[at + 1] & 0x3F) << 6 | (data[at + 2] & 0x3F)
                at += 3
            else:
                code = (code & 0x07) << 18 | np.int64(data[at + 1] & 0x3F) << 12
                code |= np.int64(data[at + 2] & 0x3F) << 6 | (data[at + 3] & 0x3F)
                at += 4
            packed = table[code]
            if packed >> HARD_SHIFT:
                here = packed >> ORDER_SHIFT
                hard[row] |= packed & HARD != 0 or (here != 0 and here < order)
                order = here
            else:
                order = 0
            if packed & SEVERAL:
                for k in range(places[packed & SYMBOL], places[(packed & SYMBOL) + 1]):
                    symbols[n] = expansions[k]
                    n += 1
            else:
                symbols[n] = packed & KEPT
                n += 1
        rows[row + 1] = n
    return symbols[:n], rows, hard


@njit(cache=True, nogil=True)
def _mend(symbols, rows, hard, own, own_rows):
    """The rows, those that are `hard` taken from `own`, where they stand in the same order."""
    lengths = rows[1:] - rows[:-1]
    lengths[hard] = own_rows[1:] - own_rows[:-1]
    ends = np.zeros(len(rows), np.int64)
    ends[1:] = np.cumsum(lengths)
    out = np.empty(ends[-1], np.int32)
    done = 0
    for row in range(len(hard)):
        if hard[row]:
            out[ends[row] : ends[row + 1]] = own[own_rows[done] : own_rows[done + 1]]
            done += 1
        else:
            out[ends[row] : ends[row + 1]] = symbols[rows[row] : rows[row + 1]]
    return out, ends
