"""Which weights a variant was made for: a hash that a model keeps however its files are named and cut."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_builders.errors import FactrootsError
from fine_tuning.variants.hashing import tensor_digests


def base_sha256(folder: Path) -> str:
    """SHA-256 over the distinct floating-point tensors of a folder's safetensors, by their shapes, types and bytes.

    Names and files are left out, since transformers' majors and other tools name, order and shard the same tensors
    otherwise and write a tied one once or twice.
    """
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise FactrootsError(f"{folder} holds no *.safetensors")
    with ThreadPoolExecutor() as pool:
        digests = {digest for found in pool.map(tensor_digests, paths) for digest in found}
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def tokenizer_sha256(tokenizer) -> str:
    """SHA-256 over a tokenizer's vocabulary in order of its ids, which give the rows of the embeddings a meaning."""
    words = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    return hashlib.sha256("\0".join(f"{number} {word}" for word, number in words).encode()).hexdigest()
