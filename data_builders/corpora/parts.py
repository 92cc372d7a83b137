"""A language in progress: numbered parts, so that a kill at any moment loses one at most."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import DOCUMENTS, PASSAGES
from data_builders.folder import read_json, write_atomically, write_json

_ROWS = 65536  # of a row group: what a reader holds at a time
_SAMPLE = 2000  # sentences that tell the language
_SCHEMAS = {"documents": DOCUMENTS, "passages": PASSAGES}


class Done(NamedTuple):
    """How far the parts go: rows of the source, documents kept, and the faults met in making them."""

    parts: int
    rows: int
    documents: int
    faults: Faults


class Finished(NamedTuple):
    """What a finished language holds; sizes are in bytes of UTF-8."""

    documents: int
    sentences: int
    bytes: int
    lead: int
    sha256: str


class Parts:
    """The parts of one language, in a hidden folder beside its files. `origin` says what they are read from, and by
    which code; parts of another origin are thrown away."""

    def __init__(self, folder: Path, lang: str, origin: dict):
        self.folder, self.lang, self.path = folder, lang, folder / f".{lang}.parts"
        if (self.path / "origin.json").exists() and read_json(self.path / "origin.json") != origin:
            shutil.rmtree(self.path)
        self.path.mkdir(exist_ok=True)
        write_json(self.path / "origin.json", origin, sort_keys=True)

    def done(self) -> Done:
        """The parts that are whole: a part's state is written last."""
        number = 0
        while self._state(number + 1).exists():
            number += 1
        if not number:
            return Done(0, 0, 0, Faults())
        held = read_json(self._state(number))
        return Done(number, held["rows"], held["documents"], Faults(**held["faults"]))

    def add(self, documents: pa.Table, passages: pa.Table, done: Done) -> None:
        """Keep part number ``done.parts``, after which things stand as `done` says."""
        for name, table in (("documents", documents), ("passages", passages)):
            path = self._part(name, done.parts)
            write_atomically(path, lambda part, table=table: pq.write_table(table, part, compression="zstd"))
        write_json(self._state(done.parts), {**done._asdict(), "faults": vars(done.faults)}, sort_keys=True)

    def finish(self) -> Finished:
        """Put the parts together; they are kept until :meth:`clear`."""
        digest, numbers, count = hashlib.sha256(), {"documents": 0, "passages": 0}, self.done().parts
        sizes = {"bytes": 0, "lead": 0}
        for name, schema in _SCHEMAS.items():
            paths = [self._part(name, number + 1) for number in range(count)]

            def write(part: Path, name=name, schema=schema, paths=paths) -> None:
                with pq.ParquetWriter(part, schema, compression="zstd") as writer:
                    for table in _blocks(paths, schema):
                        writer.write_table(table)
                        _update(digest, table)
                        numbers[name] += len(table)
                        for size in sizes.keys() & set(schema.names) if name == "documents" else ():
                            sizes[size] += pc.sum(table[size]).as_py()

            write_atomically(self.folder / f"{name}-{self.lang}.parquet", write)
        return Finished(numbers["documents"], numbers["passages"], **sizes, sha256=digest.hexdigest())

    def sample(self) -> list[str]:
        """Some sentences of the first part, from all over it."""
        texts = pq.read_table(self._part("passages", 1), columns=["text"])["text"]
        return texts.take(list(range(0, len(texts), len(texts) // _SAMPLE + 1))).to_pylist()

    def clear(self) -> None:
        shutil.rmtree(self.path)

    def _state(self, number: int) -> Path:
        return self.path / f"{number:06d}.json"

    def _part(self, name: str, number: int) -> Path:
        return self.path / f"{name}-{number:06d}.parquet"


def _blocks(paths: list[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of all files in tables of the same length, wherever one file ends and the next begins."""
    held = schema.empty_table()
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                held = pa.concat_tables([held, pa.Table.from_batches([batch], schema)])
                while len(held) >= _ROWS:
                    yield held.slice(0, _ROWS).combine_chunks()
                    held = held.slice(_ROWS)
    if len(held):
        yield held.combine_chunks()


def _update(digest, table: pa.Table) -> None:
    """Add a block's content to a hash: for every column which values are there, their lengths, and the values."""
    for name in table.column_names:
        column = table[name].combine_chunks()
        digest.update(np.asarray(column.is_valid()).tobytes())
        if pa.types.is_string(column.type):
            digest.update(np.asarray(pc.binary_length(column).fill_null(0)).astype("<i4").tobytes())
            digest.update("".join(column.fill_null("").to_pylist()).encode())
        else:
            kind = "<u1" if pa.types.is_boolean(column.type) else "<i8"
            digest.update(np.asarray(column.fill_null(False if kind == "<u1" else 0)).astype(kind).tobytes())
