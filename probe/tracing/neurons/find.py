"""The neurons that matter most for every fact of a language, a relation at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically
from data_builders.progress import Quiet
from probe.memory import give_back
from probe.tracing.neurons.asked import Asked, Questions
from probe.tracing.neurons.importance import METHODS
from probe.tracing.neurons.reading import Batch, Reader
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.neurons.tops import Top, contrasted, spilled, top

#: One row a fact in a language: its first neurons by descending weight, equals by number.
NEURONS = pa.schema(
    {
        "fact": pa.string(),
        "relation": pa.string(),
        "subject_uri": pa.string(),
        "lang": pa.string(),
        "neurons": pa.list_(pa.int32()),
        "weights": pa.list_(pa.float32()),
    }
)
ALONE = "no other right fact of its relation to compare it with"


def find(
    questions: Questions, reader: Reader, lang: str, seeking: Seeking, unasked: Counter[str] | None = None, bar=None
) -> Iterator[pa.RecordBatch]:
    """The first neurons (:data:`NEURONS`) of all `questions` of a language, a batch a relation.

    A fact costs one forward pass (under ``probeless``), and nothing is kept of it but its first neurons. A fact that
    is alone in its relation has none under ``probeless``; it is counted in `unasked`. Raises FactrootsError where an
    activation or an attribution is no finite number, or where the model has fewer neurons than are wanted.
    """
    if seeking.k > reader.neurons.total:
        raise FactrootsError(f"k is {seeking.k}, and the model has {reader.neurons.total} neurons; choose a smaller k")
    for relation, asked in questions:
        if METHODS[seeking.method].contrast and len(asked) == 1:
            (unasked if unasked is not None else Counter())[ALONE] += 1
        elif asked:
            yield _rows(relation, lang, asked, _tops(reader, asked, lang, seeking))
        (bar or Quiet()).advance(len(asked))


def _tops(reader: Reader, asked: Sequence[Asked], lang: str, seeking: Seeking) -> Top:
    method = METHODS[seeking.method]
    shape = len(asked), seeking.k
    found = Top(np.empty(shape, np.int32), np.empty(shape, np.float32))

    def keep(which: Sequence[int], values: Top) -> None:
        for part, own in zip(found, values, strict=True):
            part[which] = own

    def values(batch: Batch, which: Sequence[int]) -> np.ndarray:
        own = method.values(reader, batch, seeking.steps).cpu().numpy()
        for i, finite in zip(which, np.isfinite(own).all(axis=1), strict=True):
            if not finite:
                raise FactrootsError(
                    f"the neurons of fact {asked[i].fact} in {lang} are not finite numbers under {seeking.method}; "
                    "load the model with --dtype float32, or leave the fact out"
                )
        return own

    if method.contrast is None:
        reader.each(asked, lambda batch, which: keep(which, top(values(batch, which), seeking.k)), method.graph)
        return found
    with spilled(len(asked), reader.neurons.total) as table:

        def write(batch: Batch, which: Sequence[int]) -> None:
            table[which] = values(batch, which)

        reader.each(asked, write, method.graph)
        return contrasted(table, method.contrast, seeking.k)


def _rows(relation: str, lang: str, asked: Sequence[Asked], found: Top) -> pa.RecordBatch:
    n, k = found.neurons.shape
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * k)
    columns = [
        pa.array([one.fact for one in asked]),
        pa.array([relation] * n, pa.string()),
        pa.array([one.subject_uri for one in asked]),
        pa.array([lang] * n, pa.string()),
        pa.ListArray.from_arrays(offsets, pa.array(found.neurons.ravel())),
        pa.ListArray.from_arrays(offsets, pa.array(found.weights.ravel().astype(np.float32))),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=NEURONS)


def keep(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a language's rows as they come to a Parquet file, which is there when it is whole."""

    def write(part: Path) -> None:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                give_back()

    write_atomically(path, write)
