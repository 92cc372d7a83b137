"""From a run's rows to judged answers under a protocol: no model is needed, so a published convention is a view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pandas.util import hash_array

from probe.items import ITEMS
from probe.memory import give_back
from probe.pool import Pool
from probe.protocols import Protocol
from probe.store import Store
from probe.untyped import decoded, vocabulary

#: A judged answer: which item, how it did (p1, p5, p10, rr), what guessing would give, and its golds for the majority.
#: Items and subjects are 64-bit hashes of their names, for all languages are held side by side to be compared.
COLUMNS = ["lang", "relation", "item", "template", "subject_uri", "p1", "p5", "p10", "rr", "chance", "pieces", "golds"]

_WANTED = ["relation", "template", "subject_uri", "facts", "golds", "known", "given", "bare", "fault"]
#: Which parts of an answer a kind of protocol judges by; those that hold numbers become NumPy views.
_NUMBERS = {"logprob", "count", "normaliser", "argmax", "confidence"}
_ANSWERS = {
    "typed": ("logprob", "count", "normaliser"),
    "vocabulary": ("argmax",),
    "decoded": ("texts", "confidence"),
}


#: How answers of each kind are judged.
KINDS = {"typed": Pool.typed, "vocabulary": vocabulary, "decoded": decoded}


class Judged:
    """Judged answers of a language: ``frame`` (:data:`COLUMNS`), ``unscored`` (reason -> items), ``unknown`` golds.

    Where not `hashed`, items and subjects keep their names.
    """

    def __init__(self, store: Store, lang: str, protocol: Protocol, gold: str, hashed: bool = True):
        self.unscored: Counter[str] = Counter()
        self.unknown = 0
        self._hashed = ("item", "subject_uri") if hashed else ()
        parts = []
        for relation, rows, pool in answers(store, lang, protocol):
            if protocol.skip and protocol.skip in relation:
                self.unscored[f"relation with {protocol.skip!r} in its name"] += sum(len(row["facts"]) for row in rows)
                continue
            parts.append(self._judge(lang, relation, rows, pool, gold))
        parts = [part for part in parts if len(part)]
        give_back()
        whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
        self.frame = whole.astype({"lang": "category", "relation": "category"})

    def _judge(self, lang: str, relation: str, rows: list[dict], pool: Pool, gold: str) -> pd.DataFrame:
        found = [item for row in rows for item in items(row, relation, pool, gold, self.unscored)]
        if not found:
            return pd.DataFrame(columns=COLUMNS)
        self.unknown += sum(any(pool.unknown[g] for g in item["own"]) for item in found)
        frame = pd.DataFrame(found)
        for name, values in KINDS[pool.protocol.kind](pool, found).items():
            frame[name] = values
        for name in self._hashed:
            frame[name] = hashes(frame[name])
        return frame.assign(lang=lang, relation=relation)[COLUMNS]


def hashes(names: pd.Series) -> np.ndarray:
    """64-bit hashes of names. Intervals are drawn from subjects in the order of theirs."""
    return hash_array(names.to_numpy(object), categorize=False)


def items(row: dict, relation: str, pool: Pool, gold: str, unscored: Counter[str]) -> Iterator[dict]:
    """The items of a question under a gold policy: one for each fact, or one for all (``any``).

    Those that cannot be scored are counted in `unscored` by the reason.
    """
    if gold == "any":
        asked = [(f"{relation}|{row['subject_uri']}", tuple(row["known"]))]
    else:
        asked = list(zip(row["facts"], [(g,) for g in row["golds"]], strict=True))
    for key, golds in asked:
        fault = row["fault"]
        if fault is None and gold == "unique" and len(row["known"]) > 1:
            fault = "the subject has several objects"
        if fault is None:
            golds, fault = pool.usable(row, golds)
        if fault is not None:
            unscored[fault] += 1
            continue
        yield {
            "item": key,
            "template": row["template"],
            "subject_uri": row["subject_uri"],
            "pieces": int(min(pool.lengths[g] for g in golds)),
            "golds": pool.shared(golds),
            "own": golds,
            "others": set(row["known"]) - set(golds) if gold == "filtered" else (),
            "row": row,
        }


def answers(store: Store, lang: str, protocol: Protocol) -> Iterator[tuple[str, list[dict], Pool]]:
    """The rows of a finished language with what a protocol needs, some of one relation at a time, and its candidates.

    Where a prior is taken over other subjects, all rows of a relation come together.
    """
    run = store.read()["model"]
    pools = {r: Pool(rows, run, protocol) for r, rows in _by_relation(pq.read_table(store.candidates(lang)))}
    chunks = _chunks(store.items(lang), [*_WANTED, *_ANSWERS[protocol.kind]])
    if protocol.prior == "removed":
        for relation, table in _chunks(store.items(lang), [*_WANTED, *_ANSWERS["typed"]]):
            pools[relation].learn_bare([row for row in _rows(_priors(table)) if row["fault"] is None])
    if protocol.prior == "subjects":
        chunks = _joined(chunks)
    for relation, table in chunks:
        rows = [row for row in _rows(table) if row["facts"]]
        if protocol.prior == "subjects":
            pools[relation].learn_subjects(rows)
        yield relation, rows, pools[relation]


def _chunks(path, wanted: list[str]) -> Iterator[tuple[str, pa.Table]]:
    for batch in pq.ParquetFile(path).iter_batches(batch_size=256, columns=wanted):
        yield from _by_relation(pa.Table.from_batches([batch]))


def _joined(chunks: Iterator[tuple[str, pa.Table]]) -> Iterator[tuple[str, pa.Table]]:
    for relation, parts in groupby(chunks, key=lambda chunk: chunk[0]):
        yield relation, pa.concat_tables([table for _, table in parts])


def _priors(table: pa.Table) -> pa.Table:
    return table.filter(pc.equal(pc.list_value_length(table["facts"]), 0))


def _by_relation(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """A table cut by relation; rows of a relation stand together."""
    names = table["relation"].to_pylist()
    start = 0
    for end in range(1, len(names) + 1):
        if end == len(names) or names[end] != names[start]:
            yield names[start], table.slice(start, end - start)
            start = end


def _rows(table: pa.Table) -> list[dict]:
    """Rows as dictionaries, the numbers of an answer among them as NumPy views: a row may hold thousands."""
    numbers = [f.name for f in ITEMS if f.name in _NUMBERS and f.name in table.column_names]
    rows = table.drop_columns(numbers).to_pylist()
    for name in numbers:
        column = table[name].combine_chunks()
        values, ends, there = column.values.to_numpy(), column.offsets.to_numpy(), column.is_valid().to_numpy(False)
        for i, row in enumerate(rows):
            row[name] = values[ends[i] : ends[i + 1]] if there[i] else None
    return rows
