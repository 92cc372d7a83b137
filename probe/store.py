"""A run's folder: who may write it, what has been finished, and how a kill at any moment loses one batch at most.

A language in progress is an Arrow stream, ``items-<lang>.part``, one record batch a step. A killed run leaves a torn
tail, which is dropped; the rest is copied and added to. A finished language is ``items-<lang>.parquet``, written
from the stream, so that an interrupted run and an undisturbed one end with the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.folder import lock, write_atomically, write_json
from probe.items import CANDIDATES, ITEMS

SCHEMA_VERSION = 2
_ROWS = 1024  # rows of a Parquet row group: what a reader holds at a time


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

    @contextmanager
    def journal(self, lang: str) -> Iterator[tuple[int, Callable[[pa.RecordBatch], None]]]:
        """The steps already done of a language and a function that adds one; after the block, the language is done."""
        path = self.items(lang).with_suffix(".part")
        fresh = path.with_suffix(".fresh")
        done = 0
        with pa.OSFile(str(fresh), "wb") as file, pa.ipc.new_stream(file, ITEMS) as writer:
            try:
                for batch in _stream(path):
                    writer.write_batch(batch)
                    done += 1
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)

            def add(batch: pa.RecordBatch) -> None:
                writer.write_batch(batch)
                file.flush()

            yield done, add
        write_atomically(self.items(lang), lambda part: _to_parquet(path, part))
        path.unlink()

    def add_candidates(self, lang: str, batches: list[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(batches, CANDIDATES)
        write_atomically(self.candidates(lang), lambda part: pq.write_table(table, part, compression="zstd"))


def newest(folder: Path) -> Store:
    """The run in `folder` that was begun last. Raises FactrootsError where there is none."""
    found = sorted(Path(folder).glob("*/run.json"), key=lambda path: (path.stat().st_mtime, path))
    if not found:
        raise FactrootsError(f"{folder}/ holds no run; make one with `probe run`, or name one with --run")
    return Store(found[-1].parent)


def _stream(path: Path) -> Iterator[pa.RecordBatch]:
    """Whole record batches of a stream that may have been cut off anywhere."""
    if not path.exists():
        return
    with pa.OSFile(str(path)) as file:
        try:
            with pa.ipc.open_stream(file) as reader:
                yield from reader
        except (pa.ArrowInvalid, OSError):
            return  # the torn tail of a killed run


def _to_parquet(stream: Path, path: Path) -> None:
    with pq.ParquetWriter(path, ITEMS, compression="zstd") as writer:
        held: list[pa.RecordBatch] = []
        for batch in _stream(stream):
            if held and sum(map(len, held)) + len(batch) > _ROWS:
                writer.write_table(pa.Table.from_batches(held))
                held = []
            held.append(batch)
        if held:
            writer.write_table(pa.Table.from_batches(held))
