"""A run's folder: who may write it, what has been finished, and how a kill at any moment loses one batch at most.

A language in progress is ``items-<lang>.part``, one record batch a step; a finished one ``items-<lang>.parquet``
(:mod:`probe.journal`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.folder import lock, write_atomically, write_json
from probe.items import CANDIDATES, ITEMS
from probe.journal import journal

SCHEMA_VERSION = 2


class Store:
    """The folder of one run. Raises FactrootsError when it holds another run's results."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def read(self) -> dict:
        """What the run is (``run.json``)."""
        try:
            run = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FactrootsError(f"{self.folder} holds no run (no run.json); make one with `probe run`") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise FactrootsError(f"{self.folder}/run.json is not readable JSON: {error}") from error
        if run.get("schema_version") != SCHEMA_VERSION:
            raise FactrootsError(
                f"{self.folder} was made by another version of factroots; make it anew with `probe run`"
            )
        return run

    def claim(self, run: dict) -> None:
        """Make the folder this run's, or find that it is already."""
        path = self.folder / "run.json"
        if path.exists():
            held = self.read()
            if held != run:
                differ = ", ".join(sorted(k for k in held.keys() | run.keys() if held.get(k) != run.get(k)))
                raise FactrootsError(f"{self.folder} holds another run (its {differ} differ); choose another --output")
            return
        if any(p for p in self.folder.iterdir() if p.name[0] != "."):
            raise FactrootsError(f"{self.folder} is not empty and holds no run; choose another --output")
        write_json(path, run)

    def lock(self) -> AbstractContextManager[None]:
        """Keep every other process out (:func:`lock`)."""
        return lock(self.folder)

    def items(self, lang: str) -> Path:
        return self.folder / f"items-{lang}.parquet"

    def candidates(self, lang: str) -> Path:
        return self.folder / f"candidates-{lang}.parquet"

    def journal(self, lang: str) -> AbstractContextManager[tuple[int, Callable[[pa.RecordBatch], None]]]:
        """The steps already done of a language and a function that adds one; after the block, the language is done."""
        return journal(self.items(lang), ITEMS)

    def add_candidates(self, lang: str, batches: list[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(batches, CANDIDATES)
        write_atomically(self.candidates(lang), lambda part: pq.write_table(table, part, compression="zstd"))


def newest(folder: Path) -> Store:
    """The run in `folder` that was begun last. Raises FactrootsError where there is none."""
    found = sorted(Path(folder).glob("*/run.json"), key=lambda path: (path.stat().st_mtime, path))
    if not found:
        raise FactrootsError(f"{folder}/ holds no run; make one with `probe run`, or name one with --run")
    return Store(found[-1].parent)
