"""Text of each language as sequences of tokens, packed as Chang, Tu & Bergen (2022) pack it, in disjoint parts.

Their parts were drawn one by one and could overlap; a language with little text was scored on what it was fitted to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from fine_tuning.models import Loaded
from probe.geometry.packing import Packed, pack
from probe.geometry.sources import Source, open_text
from probe.scoring.encode import token_limit

#: ``again`` is as large as ``fit``: the noise floor and the split-half control at the same number of tokens.
PARTS = ("fit", "again", "test")
#: Tokens of a sequence, where the model reads as many; sequences of ``fit``, and of ``test``. As published.
LENGTH, NUMBER, TEST = 512, 512, 512


class Sequences(NamedTuple):
    """A language's sequences, int32 [n, length], none of them padded; no line is in two of them.

    sha256 : over all of them.
    origin : the hash of the text that they are from.
    lines, repeated : how many lines of it were read, and how many of these had been read before and were left out.
    whole : how many sequences they made, at most as many as were asked for.
    held : uint64 [lines in the sequences], their hashes, by which fits can tell that they share none.
    texts : each sequence's lines in ``fit``, the last of which may be cut; empty where they are not at hand.
    """

    lang: str
    fit: np.ndarray
    again: np.ndarray
    test: np.ndarray
    sha256: str
    origin: str
    lines: int
    repeated: int
    whole: int
    held: np.ndarray
    texts: tuple[tuple[str, ...], ...] = ()


def special_ids(tokenizer) -> np.ndarray:
    """Ids that stand for no text; the unknown token does."""
    return np.array(sorted(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}), np.int32)


def read_sequences(
    text: str | Source,
    loaded: Loaded,
    langs: Sequence[str] | None = None,
    length: int | None = None,
    number: int = NUMBER,
    test: int = TEST,
    seed: int = 0,
) -> dict[str, Sequences]:
    """Sequences of every language (all that `text` has, if None), the same numbers in each.

    They are made of the lines that stand first, and dealt to the parts by a shuffle that `seed` and language decide.
    `number` are in ``fit`` and in ``again``, `test` in ``test``; where a language has fewer in all, the poorest decides
    for all, in the same proportion. Lines that were read before are left out. `length` is by default :data:`LENGTH`, or
    what the model reads if that is less. Raises FactrootsError where there is no such text, too little of it for a
    sequence a part, or `length` is more than the model reads.
    """
    source = text if isinstance(text, Source) else open_text(text)
    length, wanted = _length(loaded, length), 2 * number + test
    packed = {lang: pack(source.of(lang), loaded.tokenizer, length, wanted) for lang in langs or source.langs}
    poorest = min(packed, key=lambda lang: len(packed[lang].ids))
    most = len(packed[poorest].ids)
    number = most * number // wanted
    test = min(test, most - 2 * number)
    if not (number and test):
        raise FactrootsError(
            f"--text {source.name} has {most} whole sequences of {length} tokens in {poorest}, too few for three "
            "parts; give more text, or a smaller --length"
        )
    return {lang: _dealt(lang, one, number, test, seed) for lang, one in packed.items()}


def _length(loaded: Loaded, length: int | None) -> int:
    limit = token_limit(loaded.model, loaded.tokenizer)
    if length is None:
        return min(LENGTH, limit)
    if not 1 < length <= limit:
        raise FactrootsError(f"--length takes 2 to {limit} tokens, which {loaded.spec} reads, got {length}")
    return length


def _dealt(lang: str, packed: Packed, number: int, test: int, seed: int) -> Sequences:
    """A language's sequences in their parts, whichever languages there are beside it."""
    own = int.from_bytes(hashlib.sha256(lang.encode()).digest()[:8], "big")
    order = np.random.default_rng([seed, own]).permutation(2 * number + test)
    parts = np.split(np.array([packed.ids[i] for i in order], np.int32), [number, 2 * number])
    return Sequences(
        lang,
        *parts,
        sha256=digest(*parts),
        origin=packed.origin,
        lines=packed.lines,
        repeated=packed.repeated,
        whole=len(packed.ids),
        held=np.array(sorted(key for i in order for key in packed.keys[i]), np.uint64),
        texts=tuple(packed.texts[i] for i in order[:number]),
    )


def digest(*parts: np.ndarray) -> str:
    """SHA-256 over sequences, part by part."""
    shapes = " ".join(str(part.shape) for part in parts)
    return hashlib.sha256(shapes.encode() + b"".join(part.astype("<i4").tobytes() for part in parts)).hexdigest()
