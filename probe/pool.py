"""A relation's candidates as a protocol sees them, and what an answer among them is worth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from probe import metrics, priors
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
        self.names = [
            [label, *more] for label, more in zip(*(rows[c].to_pylist() for c in ("label", "aliases")), strict=True)
        ]
        self._bare: dict[str, np.ndarray] = {}
        self._seen: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.same = np.array([first.setdefault(name, i) for i, name in enumerate(names)])

    def shared(self, golds: tuple[int, ...]) -> tuple[int, ...]:
        """`golds` without namesakes where they are one; one object for all rows that have the same."""
        key = tuple(sorted({int(self.same[g]) for g in golds}))
        return self._seen.setdefault(key, key)

    def usable(self, row: dict, golds: tuple[int, ...]) -> tuple[tuple[int, ...], str | None]:
        """The golds of a row that can be scored; where there are none, or the row has no prior, why."""
        bare = self.bare if self.protocol.kind == "vocabulary" else self.tokens
        kept = tuple(g for g in golds if bare[g])
        if not kept:
            return kept, "the object has no tokens"
        if self.protocol.unk == "drop":
            kept = tuple(g for g in kept if not self.unknown[g])
        if not kept:
            return kept, "the object holds an unknown token"
        if self.protocol.length == "gold":
            kept = tuple(g for g in kept if len(self.tokens[g]) <= self.protocol.masks)
        if not kept:
            return kept, f"the object has more than {self.protocol.masks} tokens"
        return kept, self._no_prior(row)

    def learn_bare(self, rows: list[dict]) -> None:
        """Take the scores of sentences without a subject as priors."""
        for row in rows:
            self._bare[row["bare"]] = self._combined([row])[0]

    def learn_subjects(self, rows: list[dict]) -> None:
        """Take as a row's prior what the rows of other subjects give each candidate; `rows` are all of the relation."""
        rows = [row for row in rows if row["fault"] is None]
        for template in {row["template"] for row in rows}:
            own = [row for row in rows if row["template"] == template]
            names = np.array([row["subject_uri"] for row in own], dtype=object)
            for row, prior in zip(own, priors.others(self._combined(own), names), strict=True):
                row["prior"] = prior

    def scores(self, items: list[dict]) -> np.ndarray:
        """What the protocol ranks candidates by, [items, candidates]; NaN where one is no candidate of the item."""
        scores = self._combined([item["row"] for item in items])
        for i, item in enumerate(items):
            scores[i, list(item["others"])] = np.nan
        if self.protocol.unk == "drop":
            scores[:, self.unknown] = np.nan
        if self.protocol.prior != "none":
            scores -= np.stack([self._prior(item["row"]) for item in items])
        return scores

    def typed(self, items: list[dict]) -> dict[str, np.ndarray]:
        """P@1, P@5, P@10, reciprocal rank and chance of items by their candidates' scores."""
        scores = self.scores(items)
        gold = np.zeros(scores.shape, dtype=bool)
        for i, item in enumerate(items):
            gold[i, list(item["own"])] = True
        if self.protocol.identity == "label":
            scores, gold = self._merged(scores, gold)
        ranks = metrics.rank(scores, gold, self.protocol.ties)
        here = ~np.isnan(scores)
        nothing, best = np.full(len(items), np.nan), self.protocol.best
        return {
            "p1": metrics.precision_at(1, ranks),
            "p5": nothing if 0 < best < 5 else metrics.precision_at(5, ranks),
            "p10": nothing if 0 < best < 10 else metrics.precision_at(10, ranks),
            "rr": nothing if best else metrics.reciprocal_rank(ranks),
            "chance": (gold & here).sum(axis=1) / here.sum(axis=1),
        }

    def _combined(self, rows: list[dict]) -> np.ndarray:
        """The tokens' log-probabilities (or logits) of candidates, combined as the protocol says [rows, candidates]."""
        scores = np.full((len(rows), len(self.tokens)), np.nan)
        for i, row in enumerate(rows):
            here = slice(None) if row["given"] is None else row["given"]
            count = self.lengths[here] if row["count"] is None else row["count"]
            values = row["logprob"].astype(float)
            if self.protocol.combine == "logit":
                values += row["normaliser"][np.maximum(count, 1) - 1]
            if self.protocol.combine != "sum":
                values /= np.maximum(count, 1)
            scores[i, here] = values
        return scores

    def _no_prior(self, row: dict) -> str | None:
        if self.protocol.prior == "removed" and row["bare"] not in self._bare:
            return "no prior: the prompt without its subject was not scored"
        if self.protocol.prior == "subjects" and not self._known_by_others(row):
            return "no prior: no other subject was asked about all of its candidates"
        return None

    def _known_by_others(self, row: dict) -> bool:
        here = slice(None) if row["given"] is None else row["given"]
        missing = np.isnan(row["prior"][here]) & ~np.isnan(row["logprob"])
        return not missing.any()

    def _prior(self, row: dict) -> np.ndarray:
        return self._bare[row["bare"]] if self.protocol.prior == "removed" else row["prior"]

    def _merged(self, scores: np.ndarray, gold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates of one spelling as one: they have one score, so the first that is present stands for all."""
        for place in np.flatnonzero(self.same != np.arange(len(self.same))):
            first = self.same[place]
            scores[:, first] = np.where(np.isnan(scores[:, first]), scores[:, place], scores[:, first])
            gold[:, first] |= gold[:, place]
        keep = np.unique(self.same)
        return scores[:, keep], gold[:, keep]
