"""Which weights a variant was made for: a hash that a model keeps however its files are named and cut."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from data_builders.errors import FactrootsError


def base_sha256(folder: Path) -> str:
    """SHA-256 over the distinct floating-point tensors of a folder's safetensors, by their shapes, types and bytes.

    Names and files are left out, since transformers' majors and other tools name, order and shard the same tensors
    otherwise and write a tied one once or twice.
    """
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise FactrootsError(f"{folder} holds no *.safetensors")
    with ThreadPoolExecutor() as pool:
        digests = {digest for found in pool.map(_digests, paths) for digest in found}
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def tokenizer_sha256(tokenizer) -> str:
    """SHA-256 over a tokenizer's vocabulary in order of its ids, which give the rows of the embeddings a meaning."""
    words = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    return hashlib.sha256("\0".join(f"{number} {word}" for word, number in words).encode()).hexdigest()


def _digests(path: Path) -> list[bytes]:
    header, start = _header(path)
    data = np.memmap(path, np.uint8, mode="r", offset=start)

    def digest(entry: dict) -> bytes:
        first, end = entry["data_offsets"]
        own = hashlib.sha256(f"{entry['dtype']}{entry['shape']}".encode())
        own.update(data[first:end])
        return own.digest()

    with ThreadPoolExecutor() as pool:  # hashing lets go of the interpreter's lock
        return list(pool.map(digest, [entry for entry in header if entry["dtype"].startswith(("F", "BF"))]))


def _header(path: Path) -> tuple[list[dict], int]:
    """The entries of a safetensors file, and where its data begin (https://huggingface.co/docs/safetensors)."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        return list(header.values()), 8 + size
    except (ValueError, KeyError, MemoryError, OverflowError) as error:
        raise FactrootsError(f"{path} is no safetensors file: {error}") from error
