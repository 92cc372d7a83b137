"""Lines packed into sequences of one length, as Chang, Tu & Bergen (2022) pack them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from fine_tuning.training.documents import Text
from fine_tuning.training.text import frame
from probe.geometry.sources import lines

_BLOCK = 1024  # lines that are tokenised at a time


class Frame(NamedTuple):
    """The ids that a model expects before a text, and those between two: its separator, or its end."""

    before: list[int]
    between: list[int]

    @classmethod
    def of(cls, tokenizer) -> Frame:
        before, after = frame(tokenizer)
        end = next((i for i in (tokenizer.sep_token_id, tokenizer.eos_token_id) if i is not None), None)
        return cls(before, after or ([] if end is None else [end]))

    def row(self, pieces: Sequence[Sequence[int]], length: int) -> list[int]:
        """``<s> line </s> line </s> ..``, cut at `length`."""
        return [*self.before, *(i for piece in pieces for i in (*piece, *self.between))][:length]


class Packed(NamedTuple):
    """Sequences in the order of the text, the lines of each and their hashes, and how many lines were read."""

    ids: list[list[int]]
    texts: list[tuple[str, ...]]
    keys: list[list[int]]
    origin: str
    lines: int
    repeated: int


def pack(text: Text, tokenizer, length: int, most: int) -> Packed:
    """At most so many sequences: lines are gathered until they fill one, and the rest of the last is thrown away."""
    own_frame, seen, read = Frame.of(tokenizer), set(), 0
    ids, texts, keys, size = [], [], [], len(own_frame.before)
    pieces: dict[int, tuple[str, list[int]]] = {}
    for line, piece in _tokenised(lines(text), tokenizer):
        if len(ids) == most:
            break
        read += 1
        key = int.from_bytes(hashlib.blake2b(line.encode(), digest_size=8).digest(), "big")
        if key in seen:
            continue
        seen.add(key)
        pieces[key] = line, piece
        size += len(piece) + len(own_frame.between)
        if size >= length:
            ids.append(own_frame.row([own for _, own in pieces.values()], length))
            texts.append(tuple(own for own, _ in pieces.values()))
            keys.append(list(pieces))
            pieces, size = {}, len(own_frame.before)
    return Packed(ids, texts, keys, text.about["sha256"], read, read - len(seen))


def _tokenised(lines: Iterable[str], tokenizer) -> Iterator[tuple[str, list[int]]]:
    lines = iter(lines)
    while block := list(islice(lines, _BLOCK)):
        yield from zip(block, tokenizer(block, add_special_tokens=False, verbose=False)["input_ids"], strict=True)
