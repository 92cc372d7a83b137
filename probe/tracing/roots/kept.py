"""Roots of a run, kept: the rows with their evidence, and the record that says how they were told."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import jsonlines
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.folder import write_atomically, write_json
from probe.tracing.precision import Threshold
from probe.tracing.presence import PRESENCE
from probe.tracing.roots.cues import CUES, Cues
from probe.tracing.roots.gathering import Gathered, known
from probe.tracing.roots.labels import label

#: One row a fact and language. ``source`` is the language that a fact was transferred from or has its neurons in
#: common with (or, where it is independent, came nearest); ``passages`` are rows of the corpus in ``passages_lang``
#: where subject and object stand together.
ROOTS = pa.schema(
    [
        ("lang", pa.string()),
        *(PRESENCE.field(name) for name in PRESENCE.names[:6]),
        ("root", pa.string()),
        ("reason", pa.string()),
        ("confidence", pa.float64()),
        ("source", pa.string()),
        ("score", pa.float64()),
        ("units", pa.int64()),
        ("lift", pa.float64()),
        ("passages_lang", pa.string()),
        ("passages", pa.list_(pa.int64())),
    ]
)


#: What tells shared from independent: overlaps of neurons, or what silencing them does.
SPLITS = ("overlap", "causal")


class How(NamedTuple):
    """How roots are told from what is gathered; ``causal`` looks at ``sample`` facts of each relation, 0 is all."""

    threshold: Threshold = Threshold()
    cues: Cues = Cues()
    alpha: float = 0.05
    split: str = SPLITS[0]
    sample: int = 0

    def __str__(self) -> str:
        units, lift = self.threshold
        split = "" if self.split == SPLITS[0] else f"|split:{self.split}{f'({self.sample})' if self.sample else ''}"
        return f"min-units:{units}|min-lift:{lift:g}|{self.cues}|alpha:{self.alpha:g}{split}"


def roots(gathered: Gathered, how: How) -> pa.Table:
    """The rows of every language (:data:`ROOTS`)."""
    made = label(known(gathered, how.threshold, how.cues), how.alpha)
    passages = [dict(zip(t["fact"].to_pylist(), t["subject_rows"].to_pylist(), strict=True)) for t in gathered.tables]
    parts = []
    for i, (lang, table, at) in enumerate(zip(gathered.langs, gathered.tables, gathered.places, strict=True)):
        root, source = made.root[i, at], made.source[i, at]
        reason = [_reason(*pair) for pair in zip(root, made.reason[i, at], strict=True)]
        away = (root == "transferred") & (source >= 0)
        where = np.where(away, source, i)
        keys = table["fact"].to_pylist()
        columns = [pa.array([lang] * len(at), pa.string()), *(table[n].combine_chunks() for n in PRESENCE.names[:6])]
        columns += [
            pa.array(root, pa.string()),
            pa.array(reason, pa.string()),
            pa.array(made.confidence[i, at], from_pandas=True),
            pa.array([gathered.langs[s] if s >= 0 else None for s in source], pa.string()),
            pa.array(made.score[i, at], from_pandas=True),
            table["units"].combine_chunks(),
            table["lift"].combine_chunks(),
            pa.array([gathered.langs[w] for w in where], pa.string()),
            pa.array([passages[w].get(key) for w, key in zip(where, keys, strict=True)], ROOTS.field("passages").type),
        ]
        parts.append(pa.Table.from_arrays(columns, schema=ROOTS))
    return pa.concat_tables(parts)


def _reason(root: str, reason: str) -> str | None:
    return CUES[root.removeprefix("cue:")].reason if root.startswith("cue:") else reason or None


def frame(table: pa.Table) -> pd.DataFrame:
    """Right answers and their roots, for sums."""
    rows = table.select(["lang", "relation", "subject_uri", "root"]).to_pandas()
    return rows[~rows["root"].isin(["", "wrong", "unscored"])].reset_index(drop=True)


def default_folder(run: Path, about: dict) -> Path:
    """A folder in the run's own, by a hash over all that decides the roots."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:10]
    return Path(run) / f"roots-{digest}"


def write(folder: Path, table: pa.Table, record: dict) -> None:
    """``roots.parquet``, ``roots.jsonl`` and, last, ``roots.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "roots.parquet", lambda part: pq.write_table(table, part, compression="zstd"))
    write_atomically(folder / "roots.jsonl", lambda part: _lines(table, part))
    write_json(folder / "roots.json", record)


def _lines(table: pa.Table, path: Path) -> None:
    with jsonlines.open(path, "w") as file:
        for batch in table.to_batches(max_chunksize=4096):
            file.write_all(batch.to_pylist())
