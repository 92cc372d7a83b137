"""What is made once and kept: folders in the user's cache that are there whole or not at all."""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from data_builders.errors import FactrootsError


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, which `make` fills beside its place when it is not there; one process at a time does.

    A failure leaves nothing. A kill leaves a hidden folder, which the next try removes. Raises FactrootsError when
    the place cannot be written to.
    """
    if folder.is_dir():
        return folder
    part, lock = (folder.with_name(f".{folder.name}.{end}") for end in ("part", "lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(lock, "a") as file:
            _wait(file, folder)
            if folder.is_dir():  # the process that was waited for has made it
                return folder
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                make(part)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise FactrootsError(
            f"cannot write {folder}: {error.strerror or error}; set FACTROOTS_HOME to a folder with room"
        ) from error
    return folder


def _wait(file, folder: Path) -> None:
    """Lock `file`; the system lets go of it when the process ends, however it ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another process is making {folder}; waiting for it", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
