"""In which language a model speaks: the share of what it says that are tokens of one language and not of another.

Chang, Tu & Bergen (2022) call a token a language's that has at least one occurrence a million there and is not on a
list of common ones, which they do not give; here common is what both texts have.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from fine_tuning.models import Loaded
from probe.geometry.fits import Fits
from probe.geometry.text import special_ids

#: Occurrences a token that make it a language's. In a text of fewer than a million tokens every one that occurs is.
FREQUENCY = 1e-6


class Own(NamedTuple):
    """Of languages A and B, the tokens that are A's alone and those that are B's alone, bool [V] each."""

    a: np.ndarray
    b: np.ndarray

    def counts(self, tokens: np.ndarray, sequence: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """How many of the tokens [e] of each of so many sequences are A's, and B's."""
        return tuple(np.bincount(sequence[part[tokens]], minlength=number) for part in self)

    def shares(self, tokens: np.ndarray) -> tuple[float, float]:
        """What share of the tokens is A's, and B's."""
        return tuple(float(part[tokens].mean()) for part in self)


class Vocabularies:
    """The tokens of languages' text, of ``fit`` and ``again``; ``test``, in which they are looked for, is not among
    them. Special tokens are no language's."""

    def __init__(self, fits: Fits, loaded: Loaded):
        self._fits, self._special = fits, special_ids(loaded.tokenizer)
        self._size = loaded.model.config.get_text_config().vocab_size
        self._has = cache(self._tokens)

    def own(self, a: str, b: str) -> Own:
        """What one has and the other has not."""
        return Own(self._has(a) & ~self._has(b), self._has(b) & ~self._has(a))

    def test(self, lang: str) -> np.ndarray:
        """The ordinary tokens of a language's test text."""
        text = self._fits.sequences(lang).test
        return text[~np.isin(text, self._special)]

    def _tokens(self, lang: str) -> np.ndarray:
        text = self._fits.sequences(lang)
        counts = np.bincount(np.concatenate([text.fit, text.again]).ravel(), minlength=self._size)
        counts[self._special] = 0
        return (counts > 0) & (counts >= FREQUENCY * counts.sum())
