"""Effects of silencing, kept language by language beside the neurons; the same command goes on after a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_builders.factset import OpenFactSet
from data_builders.folder import lock, write_json
from probe.tracing.neurons.asked import questions
from probe.tracing.neurons.effects import EFFECTS, Found, asked_in
from probe.tracing.neurons.find import keep
from probe.tracing.neurons.kept import Kept
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.silencing import Silencing

SCHEMA_VERSION = 1


def silence(
    data: OpenFactSet, model: Model, made: Kept, wanted: Mapping[str, Found], silencing: Silencing, bar
) -> pa.Table:
    """The effects (:data:`EFFECTS`) of silencing those neurons of `made` that are `wanted`, by the language asked.

    They are kept in a folder inside that of the neurons, which is named by a hash over both.
    """
    scoring, tops = made.read()["scoring"], made.table()

    def rows(lang: str) -> Iterator[pa.RecordBatch]:
        facts = set(tops.filter(pc.equal(tops["lang"], lang))["fact"].to_pylist())
        bar.start(f"{lang}, silencing", len(facts))
        asked = questions(data, model.loaded, lang, facts, scoring)
        return asked_in(lang, tops, asked, model.reader, silencing, bar, wanted[lang])

    about = {"schema_version": SCHEMA_VERSION, "silencing": str(silencing)}
    return by_language(made.folder, "effects", about, wanted, EFFECTS, rows)


def by_language(
    folder: Path,
    name: str,
    about: dict,
    wanted: Mapping[str, Found],
    schema: pa.Schema,
    rows: Callable[[str], Iterator[pa.RecordBatch]],
) -> pa.Table:
    """The `rows` of every language that something is wanted of, those of finished languages as they were kept."""
    wanted = {lang: sorted(found) for lang, found in wanted.items() if found}
    about = {**about, "wanted": hashlib.sha256(json.dumps(wanted).encode()).hexdigest()}
    folder = folder / f"{name}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:10]}"
    with lock(folder):
        write_json(folder / f"{name}.json", about)
        for lang in wanted:
            if not (folder / f"{lang}.parquet").exists():
                keep(folder / f"{lang}.parquet", schema, rows(lang))
    return pa.concat_tables([schema.empty_table(), *(pq.read_table(folder / f"{lang}.parquet") for lang in wanted)])
