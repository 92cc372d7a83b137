"""How a board changes: slow work beside it, then a moment alone in it; whatever dies in between leaves nothing behind.

A writer prepares its files in a hidden folder of its own, which it holds locked; the system lets go of the lock when
the process ends, however it ends, and that is how a later one knows which folders nobody will come back to.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from data_builders.errors import FactrootsError
from data_builders.folder import lock

FOLDER = ".staging"
_PATIENCE = 120.0  # seconds; the board is held for milliseconds


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep every other writer out of a board, waiting for those that are in it. Nothing slow is done inside."""
    until = time.monotonic() + _PATIENCE
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(lock(root, "try again"))
                break
            except FactrootsError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.005 + secrets.randbelow(20) / 1000)
        yield


@contextmanager
def staged(root: Path) -> Iterator[Path]:
    """A folder of one's own in the board, where files become whole before they are moved to their place."""
    part = root / FOLDER / secrets.token_hex(8)
    with ExitStack() as held:
        with alone(root):  # so that nobody finds it there and not yet locked
            held.enter_context(lock(part, "try again"))
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def sweep(root: Path) -> int:
    """Remove what dead writers have left, alone in the board as the caller is; returns how many there were."""
    swept = 0
    for part in sorted((root / FOLDER).glob("*")):
        try:
            with lock(part, "try again"):
                shutil.rmtree(part, ignore_errors=True)
                swept += 1
        except FactrootsError:
            continue  # somebody is at work in it
    return swept


def settle(path: Path, place: Path) -> None:
    """Move a finished file to its place, on the disk and not only in memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    path.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
