"""Opening a file that a stranger has named or made: a plain file, no link to another, and no larger than it may be."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from data_builders.errors import FactrootsError

#: The largest record, per-item file and archive, in bytes; the last is of what it unpacks to, too.
RECORD, ANSWERS, ARCHIVE = 16 << 20, 100 << 20, 1 << 30


def open_plain(path: Path, limit: int):
    """An open binary file. Raises FactrootsError where it is a link, no file at all, or larger than `limit` bytes."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise FactrootsError(f"{path.name} is not there") from error
    except OSError as error:
        if path.is_symlink():
            raise FactrootsError(f"{path.name} is a symbolic link; only plain files are read") from error
        raise
    try:
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode):
            raise FactrootsError(f"{path.name} is no plain file")
        if about.st_size > limit:
            raise FactrootsError(f"{path.name} is {about.st_size:,} bytes long, and {limit:,} are allowed")
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_bytes(path: Path, limit: int) -> bytes:
    """All of such a file; at most `limit` bytes, also where it grows meanwhile."""
    with open_plain(path, limit) as file:
        return file.read(limit)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
