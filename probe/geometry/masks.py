"""Which places of a sequence are asked, and what the model reads there.

What is drawn hangs on the seed, the language and the sequence's number alone: conditions, layers and resumed runs share
it, so that every comparison is a paired one. Special tokens are read and never asked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from probe.tracing.neurons.silence import seeded


class Words(NamedTuple):
    """Of a tokenizer: its mask (None of a causal LM), its special tokens, and how many tokens there are in all."""

    mask: int | None
    special: np.ndarray
    size: int

    @classmethod
    def of(cls, tokenizer) -> Words:
        return cls(tokenizer.mask_token_id, np.array(sorted(tokenizer.all_special_ids)), len(tokenizer))

    def may(self, ids: np.ndarray) -> np.ndarray:
        """The places that may be asked."""
        return np.flatnonzero(~np.isin(ids, self.special))


class Asking(NamedTuple):
    """What the model is asked of one sequence, or of several (:func:`joined`).

    ids : int64 [r, length], what it reads.
    row, column : int64 [e], the places whose outputs say what is asked.
    targets : int64 [e], what should be said there.
    sequence : int64 [e], which of the sequences it is of.
    """

    ids: np.ndarray
    row: np.ndarray
    column: np.ndarray
    targets: np.ndarray
    sequence: np.ndarray

    def part(self, rows: range) -> Asking:
        """What is asked of some of the rows, which stand in order."""
        own = slice(*np.searchsorted(self.row, [rows.start, rows.stop]))
        row, *others = (part[own] for part in self[1:])
        return Asking(self.ids[rows.start : rows.stop], row - rows.start, *others)


def together(ids: np.ndarray, share: float, words: Words, random: np.random.Generator) -> Asking:
    """Each place with probability `share`, all at once: 80 % masked, 10 % any token instead, 10 % as they are.

    Devlin et al. (2019), §3.1, as transformers' DataCollatorForLanguageModeling does it.
    """
    may = words.may(ids)
    asked = may[random.random(len(may)) < share]
    read, fate = ids.copy(), random.random(len(asked))
    read[asked[fate < 0.8]] = words.mask
    other = asked[fate >= 0.9]
    read[other] = random.integers(words.size, size=len(other))
    none = np.zeros_like(asked)
    return Asking(read[None], none, asked, ids[asked], none)


def one_by_one(ids: np.ndarray, share: float, words: Words, random: np.random.Generator) -> Asking:
    """A sample of places, each masked on its own in a row of its own (Salazar et al. 2020)."""
    asked = _sample(words.may(ids), share, random)
    row = np.arange(len(asked))
    read = np.tile(ids, (len(asked), 1))
    read[row, asked] = words.mask
    return Asking(read, row, asked, ids[asked], np.zeros_like(row))


def after(ids: np.ndarray, share: float, words: Words, random: np.random.Generator) -> Asking:
    """What stands at a sample of places but the first, said where all before it has been read."""
    may = words.may(ids)
    asked = _sample(may[may > 0], share, random)
    none = np.zeros_like(asked)
    return Asking(ids[None], none, asked - 1, ids[asked], none)


def _sample(may: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """This share of the places, rounded up."""
    return np.sort(random.choice(may, math.ceil(share * len(may)), replace=False))


def askings(measure, sequences: np.ndarray, lang: str, words: Words, seed: int) -> list[Asking]:
    """What is asked of each of the sequences [n, length] of a language by a :class:`.measures.Measure`."""
    return [
        measure.ask(ids.astype(np.int64), measure.share, words, seeded(seed, lang, number))
        for number, ids in enumerate(sequences)
    ]


def digest(askings: Sequence[Asking]) -> str:
    """SHA-256 of all that is read and asked."""
    found = hashlib.sha256()
    for one in askings:
        for part in one[:4]:
            found.update(np.ascontiguousarray(part, "<i8").tobytes())
    return found.hexdigest()


def batches(askings: Sequence[Asking], tokens: int) -> Iterator[range]:
    """Sequences by number, as many at a time as have `tokens` tokens read, and one at least."""
    start = held = 0
    for number, one in enumerate(askings):
        if number > start and held + one.ids.size > tokens:
            yield range(start, number)
            start, held = number, 0
        held += one.ids.size
    yield range(start, len(askings))


def joined(askings: Sequence[Asking]) -> Asking:
    """Several sequences' askings as one; ``sequence`` counts them from 0."""
    rows = np.cumsum([0, *(len(one.ids) for one in askings)])
    return Asking(
        np.concatenate([one.ids for one in askings]),
        np.concatenate([one.row + rows[i] for i, one in enumerate(askings)]),
        np.concatenate([one.column for one in askings]),
        np.concatenate([one.targets for one in askings]),
        np.repeat(np.arange(len(askings)), [len(one.targets) for one in askings]),
    )
