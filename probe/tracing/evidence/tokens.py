"""A text as tokens of which a phrase stands in it exactly where a name does: what makes Lucene's counts exact.

A name occurs where it stands literally and neither edge is inside a word (:mod:`probe.tracing.characters`). So a run of
CLOSED characters is one token, a sign one each, white space one each, too, but for the single space between two words,
which is implied. A Hangul syllable is one, with a mark where a run of them begins: a name may end inside the run, not
begin there. A letter of an alphabet without spaces (Thai, kana) goes with the one after it, since phrases of single
ones, which are so frequent, take more than twice the time: of a name's last letter only the token before it is looked
for, or, if there is none, any token that begins so. Ideographs are rare enough to stand alone.

Tokens depend on nothing but the text itself; those of dictionaries (Kuromoji, ICU) depend on the words around a name.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from probe.tracing.characters import CLOSED, FREE, OPEN, edges, singles, uncased

_SIGN, _WORD, _SYLLABLE, _LETTER, _SPACE, _NONE = FREE, CLOSED, OPEN, 3, 4, 5
# A token that begins with a sign and goes on is none of the text's own. White space is not left to Lucene to cut at.
_SPACE_MARK, _BEGIN_MARK, _LONG_MARK, _SHIFT = "␣", "^", "#", 0x100
_LONG = 100  # characters of a token; Lucene cuts what has more than 255


class Phrase(NamedTuple):
    """The tokens of a name in order, and how the one after them has to begin ("" where that is of no matter)."""

    tokens: tuple[str, ...]
    prefix: str


def phrase(name: str) -> Phrase:
    """What to look for to find a folded name, which neither begins nor ends with white space and is not empty."""
    *tokens, last = tokenise([name])[0].split(" ")
    if _kinds()[ord(name[-1])] != _LETTER:
        return Phrase((*tokens, last), "")
    paired = len(name) > 1 and _kinds()[ord(name[-2])] == _LETTER
    return Phrase(tuple(tokens), "" if paired else last)


def tokenise(texts: Sequence[str]) -> list[str]:
    """The tokens of folded texts, those of each joined by spaces."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    if not len(codes):
        return [""] * len(texts)
    kind = _kinds()[codes]
    starts = np.cumsum(lengths) - lengths
    first = np.zeros(len(codes) + 1, bool)
    first[starts] = True
    before, after = np.roll(kind, 1), np.roll(kind, -1)
    before[first[:-1]] = _NONE
    after[:-1][first[1:-1]] = _NONE
    after[-1] = _NONE
    implied = (codes == 0x20) & (before == after) & ((before == _WORD) | (before == _SYLLABLE))
    begins = ~implied & ((kind != _WORD) | (before != _WORD))
    slots = np.zeros((len(codes), 4), np.uint32)
    slots[begins & ~first[:-1], 0] = 0x20
    slots[(kind == _SPACE) & ~implied, 1] = ord(_SPACE_MARK)
    slots[(kind == _SYLLABLE) & (before != _SYLLABLE), 1] = ord(_BEGIN_MARK)
    slots[:, 2] = np.where(kind == _SPACE, codes ^ _SHIFT, codes)
    pairs = np.flatnonzero((kind == _LETTER) & (after == _LETTER))
    slots[pairs, 3] = codes[pairs + 1]
    used = slots != 0
    used[:, 2] = ~implied
    out = slots[used].tobytes().decode("utf-32-le")
    ends = np.cumsum(np.concatenate([[0], used.sum(axis=1)]))
    places = ends[np.concatenate([starts, [len(codes)]])].tolist()
    found = [out[a:b] for a, b in pairwise(places)]
    if np.diff(np.flatnonzero(begins), append=len(codes)).max(initial=0) > _LONG:
        found = [_OVERLONG.sub(_digest, text) for text in found]
    return found


_OVERLONG = re.compile(f"[^ ]{{{_LONG + 1},}}")


def _digest(token: re.Match) -> str:
    return _LONG_MARK + hashlib.sha256(token[0].encode()).hexdigest()


@cache
def _kinds() -> np.ndarray:
    """What every code point [0x110000] is here, uint8."""
    table = edges().copy()
    for code in np.flatnonzero((table == FREE) & ~singles()).tolist():
        if chr(code).isspace():
            table[code] = _SPACE
    for code in np.flatnonzero((edges() == FREE) & ~uncased()).tolist():
        character = chr(code)
        if unicodedata.category(character)[0] in "LM" and not unicodedata.name(character, "").startswith("CJK"):
            table[code] = _LETTER
    return table
