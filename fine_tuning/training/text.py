"""Text of a language as examples: documents one after the other, cut into pieces of one length, some held out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_json
from fine_tuning.models import Loaded
from fine_tuning.training.collating import Causal, Masked
from fine_tuning.training.documents import Text
from fine_tuning.training.job import Examples
from fine_tuning.variants.base import tokenizer_sha256

#: Tokens of a piece, those that a tokenizer adds included, where the model reads as many; the share of the documents
#: that is held out, and the most pieces of it that are asked.
LENGTH, HELD, MOST_HELD = 256, 0.05, 1000
_BLOCK = 1 << 20  # characters that are tokenised at a time


class Pieces(Dataset):
    """A file of int32 token ids as rows of at most `length`, `before` and `after` around each; read as it is asked."""

    def __init__(self, path: Path, length: int, before: list[int], after: list[int]):
        self.tokens = np.memmap(path, np.int32, mode="r") if path.stat().st_size else np.array([], np.int32)
        self.width, self.before, self.after = length - len(before) - len(after), before, after

    def __len__(self) -> int:
        return -(-len(self.tokens) // self.width)

    def __getitem__(self, number: int) -> dict:
        own = self.tokens[number * self.width : (number + 1) * self.width]
        return {"ids": [*self.before, *own.tolist(), *self.after], "number": number}


def text_examples(
    text: Text, one: Loaded, folder: Path, length: int = 0, held: float = HELD, seed: int = 0, mask: float = 0.15
) -> Examples:
    """`text` as pieces of `length` tokens (0: 256, or what the model reads), kept in `folder` as two files of ids.

    Documents are held out by a hash of their text, so that two of the same wording are on one side. A masked LM is
    asked as BERT was (:class:`fine_tuning.training.collating.Masked`), a causal one every token. Memory does not grow
    with the text. Raises FactrootsError where there is none, or `length` is more than the model reads.
    """
    if not 0 <= held < 1:
        raise FactrootsError(f"--held takes a share of the documents, from 0 to below 1, got {held:g}")
    before, after = frame(one.tokenizer)
    length = _length(one, length, len(before) + len(after))
    key = {**text.about, "tokenizer": tokenizer_sha256(one.tokenizer), "share": held, "seed": seed}
    known, files = folder / "text.json", [folder / f"{part}.tokens" for part in ("train", "held")]
    if not (known.is_file() and read_json(known).get("key") == key):
        folder.mkdir(parents=True, exist_ok=True)
        known.unlink(missing_ok=True)
        write_json(known, {"key": key, **_write(text, one.tokenizer, files, held, seed)})
    counts = {name: value for name, value in read_json(known).items() if name != "key"}
    if not counts["tokens"]:
        raise FactrootsError(f"there is no text in {text.about.get('corpus') or text.about['text']}")
    train, apart = (Pieces(path, length, before, after) for path in files)
    collate = Masked(one.tokenizer, seed, mask) if one.family == "masked" else Causal(one.tokenizer)
    about = {**text.about, **counts, "held": held, "length": length} | (
        {"mask": mask} if one.family == "masked" else {}
    )
    return Examples(train, First(apart, MOST_HELD) if len(apart) else None, collate, about)


class First(Dataset):
    """The first rows of `data`."""

    def __init__(self, data: Dataset, most: int):
        self.data, self.number = data, min(most, len(data))

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, number: int):
        return self.data[number]


def frame(tokenizer) -> tuple[list[int], list[int]]:
    """The ids that a tokenizer adds before a text and after it."""
    whole, bare = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (True, False))
    at = next(i for i in range(len(whole) + 1) if whole[i : i + len(bare)] == bare)
    return whole[:at], whole[at + len(bare) :]


def _length(one: Loaded, length: int, added: int) -> int:
    most = token_limit(one)
    if length > most:
        raise FactrootsError(
            f"--length {length} is more than the {most} tokens that {one.spec} reads; pass a smaller one"
        )
    length = length or min(LENGTH, most)
    if length <= added + 1:
        raise FactrootsError(
            f"--length {length} leaves no room for text beside the {added} tokens added; pass a greater"
        )
    return length


def token_limit(one: Loaded) -> int:
    """The greatest number of tokens that a model reads; RoBERTa's kin keep the first positions for padding."""
    embeddings = getattr(one.model.base_model, "embeddings", None)
    padding = getattr(getattr(embeddings, "position_embeddings", None), "padding_idx", None)
    positions = getattr(one.model.config, "max_position_embeddings", None) or one.tokenizer.model_max_length
    return min(positions - (0 if padding is None else padding + 1), one.tokenizer.model_max_length)


def _write(text: Text, tokenizer, paths: list[Path], held: float, seed: int) -> dict[str, int]:
    """Tokenise into two files, with a separator after each document; returns the numbers of documents and tokens."""
    end = next((i for i in (tokenizer.sep_token_id, tokenizer.eos_token_id) if i is not None), None)
    counts = {"documents": 0, "tokens": 0, "held_documents": 0, "held_tokens": 0}
    with open(paths[0], "wb") as train, open(paths[1], "wb") as apart:
        for block in _blocks(text.documents):
            coded = tokenizer(block, add_special_tokens=False, verbose=False)["input_ids"]
            for document, ids in zip(block, coded, strict=True):
                out = _is_held(document, held, seed)
                made = np.array(ids if end is None else [*ids, end], np.int32)
                made.tofile(apart if out else train)
                prefix = "held_" if out else ""
                counts[f"{prefix}documents"] += 1
                counts[f"{prefix}tokens"] += len(made)
    return counts


def _blocks(documents: Iterable[str]) -> Iterator[list[str]]:
    block, size = [], 0
    for document in documents:
        block.append(document)
        size += len(document)
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _is_held(document: str, share: float, seed: int) -> bool:
    head = hashlib.sha256(f"held|{seed}|{document}".encode()).digest()[:8]
    return int.from_bytes(head, "big") < share * 2**64
