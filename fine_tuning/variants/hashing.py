"""SHA-256 of a file and of the tensors in it, reckoned once for as long as the file stays as it is."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path
from typing import TypeVar

import numpy as np

from data_builders.errors import FactrootsError

#: A file that was changed so few seconds ago is read anew each time: the next change could bear the same time.
YOUNG = 2.0

T = TypeVar("T")


def once(function: Callable[[Path], T]) -> Callable[[Path], T]:
    """`function` of a file, whose result is kept until the file is another or has changed."""
    known: dict[Path, tuple[tuple, T]] = {}

    @wraps(function)
    def remembered(path: Path) -> T:
        path = Path(path).resolve()
        state = _state(path)
        if known.get(path, (None,))[0] == state:
            return known[path][1]
        found = function(path)
        if _state(path) == state and time.time() - max(state[-2:]) / 1e9 >= YOUNG:
            known[path] = (state, found)
        return found

    return remembered


def _state(path: Path) -> tuple:
    """Which file it is, its size, and two times in ns: of its content, and, which nobody can set, of any change."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


@once
def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@once
def tensor_digests(path: Path) -> frozenset[bytes]:
    """The SHA-256 of every floating-point tensor in a safetensors file, over its type, shape and bytes.

    Raises FactrootsError where it is no such file.
    """
    header, start = _header(path)
    data = np.memmap(path, np.uint8, mode="r", offset=start)

    def digest(entry: dict) -> bytes:
        first, end = entry["data_offsets"]
        own = hashlib.sha256(f"{entry['dtype']}{entry['shape']}".encode())
        own.update(data[first:end])
        return own.digest()

    with ThreadPoolExecutor() as pool:  # hashing lets go of the interpreter's lock
        return frozenset(pool.map(digest, [entry for entry in header if entry["dtype"].startswith(("F", "BF"))]))


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
