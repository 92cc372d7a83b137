"""A table that is written batch by batch, so that a kill at any moment loses the batch in hand and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.folder import write_atomically

_ROWS = 1024  # rows of a Parquet row group: what a reader holds at a time


@contextmanager
def journal(path: Path, schema: pa.Schema) -> Iterator[tuple[int, Callable[[pa.RecordBatch], None]]]:
    """How many batches of the Parquet file `path` are there already, and a function that adds one.

    Until the block ends they are an Arrow stream, ``.part``. A killed process leaves a torn tail, which is dropped; the
    rest is copied and added to. The file is written from the stream, so that an interrupted work and an undisturbed one
    end with the same bytes.
    """
    part, fresh, done = path.with_suffix(".part"), path.with_suffix(".fresh"), 0
    with pa.OSFile(str(fresh), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        try:
            for batch in _stream(part):
                writer.write_batch(batch)
                done += 1
            fresh.replace(part)
        finally:
            fresh.unlink(missing_ok=True)

        def add(batch: pa.RecordBatch) -> None:
            writer.write_batch(batch)
            file.flush()

        yield done, add
    write_atomically(path, lambda made: _to_parquet(part, made, schema))
    part.unlink()


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


def _to_parquet(stream: Path, path: Path, schema: pa.Schema) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        held: list[pa.RecordBatch] = []
        for batch in _stream(stream):
            if held and sum(map(len, held)) + len(batch) > _ROWS:
                writer.write_table(pa.Table.from_batches(held))
                held = []
            held.append(batch)
        if held:
            writer.write_table(pa.Table.from_batches(held))
