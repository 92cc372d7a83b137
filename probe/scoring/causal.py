"""Causal-LM scoring: the log-probability of a whole sentence, with every candidate in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from data_builders.facts import OBJECT
from probe.scoring.best_first import best_first
from probe.scoring.blocks import logprobs
from probe.scoring.causal_model import CausalModel
from probe.scoring.encode import token_limit
from probe.scoring.filled import Filled, fill, opening, token_ids
from probe.scoring.rows import Row, groups
from probe.scoring.runs import halved
from probe.scoring.scorer import BATCH_TOKENS, Answer, Ask, Candidates, not_finite
from probe.scoring.trie import Trie

#: What is wrong with a sentence, by how many places it has for an answer; with more, all but one are its own.
FAULTS = {0: f"the prompt has no {OBJECT}", 1: None}


class CausalScorer:
    """Scores sentences with a causal LM: the sum of log p(token | all before it) over the sentence's tokens.

    With `best` = k only the k candidates of the highest sums are wanted. All others may have -inf, which says just
    that they are not among those k.

    Raises FactrootsError when nothing can stand before the first token, or when the model is not causal.
    """

    def __init__(self, model, tokenizer, best: int | None = None):
        self.tokenizer, self.best, self.opening = tokenizer, best, opening(tokenizer)
        special = set(tokenizer.all_special_ids)
        ordinary = [i for i in range(len(tokenizer)) if i not in special]
        with torch.inference_mode():
            self.model = CausalModel(model, ordinary[:: max(1, len(ordinary) // 8)][:8])
        self.limit = token_limit(model, tokenizer)
        self.tokens = self.model.most_tokens(BATCH_TOKENS)  # of one forward pass; halved when memory runs out

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> CausalWork:
        return CausalWork(self, asks, candidates)

    @torch.inference_mode()
    def sums(self, filled: Sequence[Filled]) -> list[np.ndarray]:
        """float64 [c] for each ask: the summed log-probability of each sentence; NaN where nothing is scored."""
        found = [np.full(len(one.ids), np.nan) for one in filled]
        where = [(n, c) for n, one in enumerate(filled) for c, ids in enumerate(one.ids) if one.first[c] < len(ids)]
        if where:
            values = Reading(self, [filled[n].ids[c] for n, c in where], [filled[n].first[c] for n, c in where])
            for (n, c), value in zip(where, values.sums(np.array([n for n, _ in where])), strict=True):
                found[n][c] = value
        return found


class Reading:
    """One reading of sentences: what the model has said so far of their trie's nodes."""

    def __init__(self, scorer: CausalScorer, sentences: Sequence[Sequence[int]], first: Sequence[int]):
        self.scorer, self.trie = scorer, Trie(sentences)
        column = np.arange(self.trie.paths.shape[1])
        self.scored = (column >= np.array(first)[:, None]) & (column < self.trie.lengths[:, None])
        self.wanted = np.zeros(len(self.trie), dtype=bool)  # nodes whose log-probability is wanted and not there yet
        self.wanted[self.trie.paths[self.scored]] = True
        self.logprob = np.zeros(len(self.trie))

    def sums(self, ask: np.ndarray) -> np.ndarray:
        if self.scorer.best is None:
            self.read(np.flatnonzero(self.trie.inner))
            return self.total(self.trie.lengths)
        return best_first(self.trie, ask, self.scorer.best, self.read, self.total)

    def total(self, known: np.ndarray) -> np.ndarray:
        """The sum over the scored ones among the first `known` tokens of each sentence."""
        counted = self.scored & (np.arange(self.scored.shape[1]) < known[:, None])
        return np.where(counted, self.logprob[self.trie.paths], 0).sum(axis=1)

    def read(self, nodes: np.ndarray) -> None:
        """Have the model read `nodes`, which hold all their ancestors, for what it says of their children."""
        for group in groups(self.scorer.model.rows(self.trie, nodes), self.scorer.tokens):
            halved(self._forward, group, self._smaller)

    def _smaller(self) -> None:
        self.scorer.tokens = max(1, self.scorer.tokens // 2)

    def _forward(self, rows: Sequence[Row]) -> None:
        trie, model = self.trie, self.scorer.model
        fresh = np.concatenate([row.nodes[row.fresh :] for row in rows])
        states = model.states(trie, rows)
        row = np.repeat(np.arange(len(rows)), [len(row.nodes) - row.fresh for row in rows])
        column = np.concatenate([np.arange(row.fresh, len(row.nodes)) for row in rows])
        place = np.full(len(trie), -1)
        place[fresh] = np.arange(len(fresh))
        children = np.flatnonzero(self.wanted & (place[trie.parent] >= 0))
        asked, slot = np.unique(place[trie.parent[children]], return_inverse=True)
        self.logprob[children] = logprobs(model.head, states[row[asked], column[asked]], slot, trie.token[children])
        self.wanted[children] = False


@dataclass
class CausalWork:
    """The sentences of a relation; they are tokenised a batch at a time, since there are so many."""

    scorer: CausalScorer
    asks: Sequence[Ask]
    candidates: Candidates

    def __post_init__(self):
        parts = [part for ask in self.asks for part in ask.prompt.partition(OBJECT)[::2]]
        contexts = list(dict.fromkeys(ask.context for ask in self.asks))
        size = {text: len(ids) for text, ids in zip(contexts, token_ids(self.scorer.tokenizer, contexts), strict=True)}
        lengths = [len(ids) for ids in token_ids(self.scorer.tokenizer, parts)]
        tokens = np.array([len(ids) for ids in self.candidates.tokens], dtype=np.int64)
        self.sizes, self.faults = [], []
        for ask, left, right in zip(self.asks, lengths[::2], lengths[1::2], strict=True):
            own = tokens if ask.choice is None else tokens[list(ask.choice)]
            self.sizes.append(size[ask.context] + left + int(own.sum()) + right * len(own))
            self.faults.append(FAULTS.get(ask.prompt.count(OBJECT), "the prompt holds a slot of its own"))

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with each sentence's sum and the number of tokens that it runs over."""
        answers = self._score(which)
        unsure = not_finite(self.scorer.model.model)
        if len(which) == 1:
            return answers
        # What is no number spreads within a row: an ask that has some is put once more, alone.
        return [a if a.fault != unsure else self._score([i])[0] for i, a in zip(which, answers, strict=True)]

    def _score(self, which: Sequence[int]) -> list[Answer]:
        scorer = self.scorer
        asks = [self.asks[i] for i in which]
        filled = list(fill(scorer.tokenizer, scorer.opening, asks, self.candidates, scorer.limit))
        sums = iter(scorer.sums([one for one in filled if one.fault is None]))
        return [Answer(fault=one.fault) if one.fault else self._answer(one, next(sums)) for one in filled]

    def _answer(self, one: Filled, sums: np.ndarray) -> Answer:
        count = np.array([len(ids) - first for ids, first in zip(one.ids, one.first, strict=True)], dtype=np.int32)
        if np.isnan(sums[count > 0]).any() or (self.scorer.best is None and np.isinf(sums[count > 0]).any()):
            return Answer(fault=not_finite(self.scorer.model.model))
        return Answer(logprob=sums.astype(np.float32), count=count)
