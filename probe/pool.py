"""A relation's candidates as a protocol sees them, and what an answer among them is worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from probe import metrics
from probe.protocols import Protocol


class Pool:
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
        self._seen: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.same = np.array([first.setdefault(name, i) for i, name in enumerate(names)])

    def shared(self, golds: tuple[int, ...]) -> tuple[int, ...]:
        """`golds` without namesakes where they are one; one object for all rows that have the same."""
        key = tuple(sorted({int(self.same[g]) for g in golds}))
        return self._seen.setdefault(key, key)

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
