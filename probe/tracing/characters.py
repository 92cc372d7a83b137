"""What a character is to a name's edges, as a table over Unicode, and the one folding of names and texts."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np

from data_builders.errors import unknown

#: A name may not begin or end between two characters that are both CLOSED: inside a word.
#: After OPEN ones, Hangul, it may end: particles are written onto a name, but nothing before it.
#: FREE are all others, spaces and signs as well as the scripts that are written without spaces.
FREE, CLOSED, OPEN = 0, 1, 2

#: Scripts without spaces between words, by the first word of their characters' Unicode names.
SPACELESS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "BOPOMOFO", "TIBETAN"})
_SIGNS = {"ー": FREE, "ｰ": FREE, "々": FREE, "〆": FREE, "〇": FREE, "\u200c": CLOSED, "\u200d": CLOSED}
_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xD800, 0xF900), (0x20000, 0x2F800),
           (0x2FA20, 0xE0000), (0xE0200, 0x110000))  # fmt: skip
_IDEOGRAPHS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x2F800), (0x2FA20, 0x323B0))
FOLDS = ("exact", "case", "accents")


@cache
def uncased() -> np.ndarray:
    """The code points [0x110000] of large blocks, ideographs, Hangul syllables and unassigned ones, that never fold."""
    table = np.zeros(sys.maxunicode + 1, bool)
    for start, stop in _BLOCKS:
        table[start:stop] = True
    return table


@cache
def edges() -> np.ndarray:
    """The class of every code point [0x110000], uint8.

    Letters, digits, the underscore and combining marks (Indic vowel signs among them) make up words.
    """
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    table[0xAC00:0xD7A4] = OPEN
    for code in np.flatnonzero(~uncased()).tolist():
        character = chr(code)
        if character == "_" or unicodedata.category(character)[0] in "LNM":
            script = unicodedata.name(character, "").partition(" ")[0]
            table[code] = FREE if script in SPACELESS else OPEN if script == "HANGUL" else CLOSED
    for character, kind in _SIGNS.items():
        table[ord(character)] = kind
    return table


@cache
def singles() -> np.ndarray:
    """Which code points [0x110000] are tokens by themselves: the letters of scripts without spaces between words."""
    table = np.zeros(sys.maxunicode + 1, bool)
    for code in np.flatnonzero((edges() == FREE) & ~uncased()):
        table[code] = unicodedata.category(chr(code))[0] in "LN"
    for start, stop in _IDEOGRAPHS:
        table[start:stop] = True
    return table


class Marks(NamedTuple):
    """Of every code point [0x110000], how it may join what stands before it, under any folding.

    ``order`` is its canonical combining class (0: it keeps its place), ``composes`` whether the two may become one.
    """

    order: np.ndarray
    composes: np.ndarray


@cache
def marks() -> Marks:
    """The marks among all code points, vowels and finals of Hangul that is written in letters included."""
    order, composes = np.zeros(sys.maxunicode + 1, np.uint8), np.zeros(sys.maxunicode + 1, bool)
    composes[0x1160:0x1200] = True
    changing = np.flatnonzero(~uncased()).tolist()
    for code in changing:
        order[code] = unicodedata.combining(chr(code))
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0][0] != "<":
            composes[int(parts[1], 16)] = True
    for code in changing:  # what folds to a mark is one
        first = ord(unicodedata.normalize("NFKC", chr(code))[0])
        composes[code] |= first != code and bool(composes[first] or order[first])
    return Marks(order, composes)


def fold(text: str, how: str) -> str:
    """`text` in NFKC; ``case``: also case-folded; ``accents``: also without the marks of Latin, Greek and Cyrillic.

    Raises FactrootsError for a folding that does not exist.
    """
    if how not in FOLDS:
        raise unknown("folding", how, FOLDS)
    if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    if how == "exact":
        return text
    text = text.casefold()
    if how == "accents" and not text.isascii():
        text = unicodedata.normalize("NFC", "".join(filter(_kept, unicodedata.normalize("NFD", text))))
    return text


def folded_name(label: str, how: str) -> str:
    """A name as it is looked for: folded, with single spaces and none around it."""
    return " ".join(fold(label, how).split())


def _kept(character: str) -> bool:
    """Whether accent folding keeps a character: it drops the marks of the first block of combining ones only."""
    return not "\u0300" <= character <= "\u036f"
