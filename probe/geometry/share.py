"""In which language a model speaks: the share of what it says that are tokens of one language and not of another.

Chang, Tu & Bergen (2022) call a token a language's that has at least one occurrence a million there and is not on a
list of common ones, which they do not give; here common is what both texts have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from probe.geometry.text import Sequences

#: Occurrences a token that make it a language's. In a text of fewer than a million tokens every one that occurs is.
FREQUENCY = 1e-6


class Own(NamedTuple):
    """Of languages A and B, the tokens that are A's alone and those that are B's alone, bool [V] each."""

    a: np.ndarray
    b: np.ndarray

    def counts(self, tokens: np.ndarray, sequence: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """How many of the tokens [e] of each of so many sequences are A's, and B's."""
        return tuple(np.bincount(sequence[part[tokens]], minlength=number) for part in self)


class Vocabularies:
    """The tokens of every language's text, of its parts ``fit`` and ``again``; `size` is the vocabulary's."""

    def __init__(self, texts: Mapping[str, Sequences], special: np.ndarray, size: int):
        self._has = {}
        for lang, text in texts.items():
            counts = np.bincount(np.concatenate([text.fit, text.again]).ravel(), minlength=size)
            counts[special] = 0
            self._has[lang] = counts >= FREQUENCY * counts.sum()
            self._has[lang] &= counts > 0

    def own(self, a: str, b: str) -> Own:
        """What one has and the other has not."""
        return Own(self._has[a] & ~self._has[b], self._has[b] & ~self._has[a])
