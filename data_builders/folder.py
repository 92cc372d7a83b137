"""Folders that hold something made: one writer at a time, and no file that is half written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data_builders.errors import FactrootsError


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill a file beside `path` and move it there whole; after a failure nothing is left.

    After a kill that file may be; the next process, alone in the folder as its lock sees to, writes over it.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, value: dict, sort_keys: bool = False) -> None:
    """Write JSON in one form, keys in the order given or sorted."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False, sort_keys=sort_keys) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> dict:
    """Read what :func:`write_json` wrote. Raises FactrootsError when it is not JSON any more."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FactrootsError(f"{path} is not readable JSON: {error}") from error


@contextmanager
def lock(folder: Path, cure: str = "choose --output") -> Iterator[None]:
    """Keep every other process out of `folder`; the system lets go when the process ends, however it ends.

    Raises FactrootsError, with the `cure`, where another process is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise FactrootsError(
                f"process {file.read().strip() or '?'} is writing {folder}; wait for it, or {cure}"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
