"""From a run's rows to judged answers under a protocol: no model is needed, so a published convention is a view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.util import hash_array

from probe.pool import Pool
from probe.protocols import Protocol
from probe.store import Store

#: A judged answer: which item, how it did (p1, p5, rr), what guessing would give, and its golds for the majority.
#: Items and subjects are 64-bit hashes of their names, for all languages are held side by side to be compared.
COLUMNS = ["lang", "relation", "item", "template", "subject_uri", "p1", "p5", "rr", "chance", "pieces", "golds"]

_WANTED = ["relation", "template", "subject_uri", "facts", "golds", "known", "given", "fault"]


class Judged:
    """Judged answers of a language: ``frame`` (:data:`COLUMNS`), ``unscored`` (reason -> items), ``unknown`` golds."""

    def __init__(self, store: Store, lang: str, protocol: Protocol, gold: str):
        run = store.read()["model"]
        self.unscored: Counter[str] = Counter()
        self.unknown = 0
        tables = {r: Pool(rows, run, protocol) for r, rows in _by_relation(pq.read_table(store.candidates(lang)))}
        parts = []
        wanted = [*_WANTED, "logprob" if protocol.kind == "typed" else "argmax"]
        for batch in pq.ParquetFile(store.items(lang)).iter_batches(batch_size=512, columns=wanted):
            for relation, rows in _by_relation(pa.Table.from_batches([batch])):
                if protocol.skip and protocol.skip in relation:
                    self.unscored[f"relation with {protocol.skip!r} in its name"] += _facts(rows)
                    continue
                parts.append(self._judge(lang, relation, rows, tables.get(relation), protocol, gold))
        parts = [part for part in parts if len(part)]
        whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
        self.frame = whole.astype({"lang": "category", "relation": "category"})

    def _judge(self, lang, relation, rows: pa.Table, table: Pool, protocol: Protocol, gold: str) -> pd.DataFrame:
        items = []
        for row in _rows(rows):
            items += self._items(row, relation, table, protocol, gold)
        if not items:
            return pd.DataFrame(columns=COLUMNS)
        frame = pd.DataFrame(items)
        answer = table.typed if protocol.kind == "typed" else table.vocabulary
        for name, values in answer(items).items():
            frame[name] = values
        for name in ("item", "subject_uri"):
            frame[name] = hash_array(frame[name].to_numpy(object), categorize=False)
        return frame.assign(lang=lang, relation=relation)[COLUMNS]

    def _items(self, row: dict, relation: str, table: Pool, protocol: Protocol, gold: str) -> Iterator[dict]:
        """The items of a question under a gold policy: one for each fact, or one for all (``any``)."""
        if gold == "any":
            asked = [(f"{relation}|{row['subject_uri']}", tuple(row["known"]))]
        else:
            asked = list(zip(row["facts"], [(g,) for g in row["golds"]], strict=True))
        for key, golds in asked:
            fault = row["fault"]
            if fault is None and gold == "unique" and len(row["known"]) > 1:
                fault = "the subject has several objects"
            if fault is None:
                golds, fault = table.usable(golds, protocol)
            if fault is not None:
                self.unscored[fault] += 1
                continue
            self.unknown += any(table.unknown[g] for g in golds)
            yield {
                "item": key,
                "template": row["template"],
                "subject_uri": row["subject_uri"],
                "pieces": int(min(table.lengths[g] for g in golds)),
                "golds": table.shared(golds),
                "own": golds,
                "others": set(row["known"]) - set(golds) if gold == "filtered" else (),
                "row": row,
            }


def _by_relation(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """A table cut by relation; rows of a relation stand together."""
    names = table["relation"].to_pylist()
    start = 0
    for end in range(1, len(names) + 1):
        if end == len(names) or names[end] != names[start]:
            yield names[start], table.slice(start, end - start)
            start = end


def _rows(table: pa.Table) -> Iterator[dict]:
    """Rows as dictionaries, the scores among them as NumPy views: a row may hold thousands."""
    name = table.column_names[-1]
    column = table[name].combine_chunks()
    values, ends = column.values.to_numpy(), column.offsets.to_numpy()
    for i, row in enumerate(table.drop_columns([name]).to_pylist()):
        yield row | {name: values[ends[i] : ends[i + 1]]}


def _facts(rows: pa.Table) -> int:
    return sum(len(facts) for facts in rows["facts"].to_pylist())
