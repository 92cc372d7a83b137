"""From a run's rows to judged answers under a protocol: no model is needed, so a published convention is a view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from probe import metrics
from probe.protocols import Protocol
from probe.store import Store

#: A judged answer: which item, how it did (p1, p5, rr), what guessing would give, and its golds for the majority.
COLUMNS = ["lang", "relation", "item", "template", "subject_uri", "p1", "p5", "rr", "chance", "pieces", "golds"]

_WANTED = ["relation", "template", "subject_uri", "facts", "golds", "known", "given", "fault"]


class Judged:
    """Judged answers of a language: ``frame`` (:data:`COLUMNS`), ``unscored`` (reason -> items), ``unknown`` golds."""

    def __init__(self, store: Store, lang: str, protocol: Protocol, gold: str):
        run = store.read()["model"]
        self.unscored: Counter[str] = Counter()
        self.unknown = 0
        tables = {r: _Table(rows, run, protocol) for r, rows in _by_relation(pq.read_table(store.candidates(lang)))}
        parts = []
        wanted = [*_WANTED, "logprob" if protocol.kind == "typed" else "argmax"]
        for batch in pq.ParquetFile(store.items(lang)).iter_batches(batch_size=512, columns=wanted):
            for relation, rows in _by_relation(pa.Table.from_batches([batch])):
                if protocol.skip and protocol.skip in relation:
                    self.unscored[f"relation with {protocol.skip!r} in its name"] += _facts(rows)
                    continue
                parts.append(self._judge(lang, relation, rows, tables.get(relation), protocol, gold))
        parts = [part for part in parts if len(part)]
        self.frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)

    def _judge(self, lang, relation, rows: pa.Table, table: _Table, protocol: Protocol, gold: str) -> pd.DataFrame:
        items = []
        for row in _rows(rows):
            items += self._items(row, relation, table, protocol, gold)
        if not items:
            return pd.DataFrame(columns=COLUMNS)
        frame = pd.DataFrame(items)
        answer = table.typed if protocol.kind == "typed" else table.vocabulary
        for name, values in answer(items).items():
            frame[name] = values
        return frame.assign(lang=lang, relation=relation)[COLUMNS]

    def _items(self, row: dict, relation: str, table: _Table, protocol: Protocol, gold: str) -> Iterator[dict]:
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
                "golds": tuple(sorted({table.same[g] for g in golds})),
                "own": golds,
                "others": set(row["known"]) - set(golds) if gold == "filtered" else (),
                "row": row,
            }


class _Table:
    """A relation's candidates as a protocol sees them."""

    def __init__(self, rows: pa.Table, model: dict, protocol: Protocol):
        self.protocol, self.vocabulary_size = protocol, model["vocab_size"]
        self.tokens = rows["tokens"].to_pylist()
        self.lengths = np.array([len(t) for t in self.tokens])
        self.unknown = np.array([model["unk_id"] in t for t in self.tokens])
        self.space = model["space_id"]
        self.bare = [[i for i in t if i != self.space] for t in self.tokens]  # without SentencePiece's lone space
        names = rows["label" if protocol.identity == "label" else "uri"].to_pylist()
        first: dict[str, int] = {}
        self.same = np.array([first.setdefault(name, i) for i, name in enumerate(names)])

    def usable(self, golds: tuple[int, ...], protocol: Protocol) -> tuple[tuple[int, ...], str | None]:
        """The golds that can be scored; where there are none, why."""
        bare = self.bare if protocol.kind == "vocabulary" else self.tokens
        kept = tuple(g for g in golds if bare[g])
        if not kept:
            return kept, "the object has no tokens"
        if protocol.unk == "drop":
            kept = tuple(g for g in kept if not self.unknown[g])
        return kept, None if kept else "the object holds an unknown token"

    def typed(self, items: list[dict]) -> dict[str, np.ndarray]:
        """P@1, P@5, reciprocal rank and chance of items by their candidates' scores."""
        scores = np.full((len(items), len(self.tokens)), np.nan)
        gold = np.zeros(scores.shape, dtype=bool)
        for i, item in enumerate(items):
            row = item["row"]
            scores[i, slice(None) if row["given"] is None else row["given"]] = row["logprob"]
            scores[i, list(item["others"])] = np.nan
            gold[i, list(item["own"])] = True
        if self.protocol.unk == "drop":
            scores[:, self.unknown] = np.nan
        if self.protocol.combine == "mean":
            scores /= np.maximum(self.lengths, 1)
        if self.protocol.identity == "label":
            scores, gold = self._merged(scores, gold)
        ranks = metrics.rank(scores, gold, self.protocol.ties)
        here = ~np.isnan(scores)
        return {
            "p1": metrics.precision_at(1, ranks),
            "p5": metrics.precision_at(5, ranks),
            "rr": metrics.reciprocal_rank(ranks),
            "chance": (gold & here).sum(axis=1) / here.sum(axis=1),
        }

    def _merged(self, scores: np.ndarray, gold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates of one spelling as one: they have one score, so the first that is present stands for all."""
        for place in np.flatnonzero(self.same != np.arange(len(self.same))):
            first = self.same[place]
            scores[:, first] = np.where(np.isnan(scores[:, first]), scores[:, place], scores[:, first])
            gold[:, first] |= gold[:, place]
        keep = np.unique(self.same)
        return scores[:, keep], gold[:, keep]

    def vocabulary(self, items: list[dict]) -> dict[str, np.ndarray]:
        """P@1 of items by the tokens chosen at the masks, for any number of masks (Zhao et al. 2024)."""
        right = self._full if self.protocol.combine == "full" else self._partial
        hits = [right(item["row"]["argmax"], [self.bare[g] for g in item["own"]]) for item in items]
        chance = [float(self.vocabulary_size) ** -item["pieces"] for item in items]
        nothing = np.full(len(items), np.nan)
        chance = np.array(chance) if self.protocol.combine == "full" else nothing
        return {"p1": np.array(hits, dtype=float), "p5": nothing, "rr": nothing, "chance": chance}

    def _predictions(self, argmax: np.ndarray) -> Iterator[list[int]]:
        start, masks = 0, 1
        while start < len(argmax):
            yield [i for i in argmax[start : start + masks].tolist() if i != self.space]
            start, masks = start + masks, masks + 1

    def _full(self, argmax: np.ndarray, golds: list[list[int]]) -> bool:
        return any(predicted in golds for predicted in self._predictions(argmax))

    def _partial(self, argmax: np.ndarray, golds: list[list[int]]) -> bool:
        return any(set(gold) <= set(predicted) for predicted in self._predictions(argmax) for gold in golds)


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
