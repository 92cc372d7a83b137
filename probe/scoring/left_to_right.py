"""Teacher-forced scoring with a masked LM: a candidate's tokens are filled in from left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from probe.scoring.encode import encode, glue, token_limit
from probe.scoring.lookups import Lookups, Reader
from probe.scoring.scorer import Answer, Ask, Candidates, not_finite


class LeftToRightScorer:
    """BMLAMA's way with masked LMs (Qi et al. 2023; Betswish/Cross-Lingual-Consistency, ``predict_mask``).

    A candidate o_1..o_m stands in for m masks, one token after another: its score is the sum over i of
    log p(mask_i = o_i | o_1..o_{i-1}, masks i..m). (Theirs is minus the mean.) `join` says what stands between masks
    (:func:`probe.scoring.encode.glue`).

    Tokens are filled in as ids. Their script writes a piece's text into the sentence and tokenises anew, which gives
    the same ids unless the piece does not survive it: ``##is`` comes back as ``#``, ``#``, ``is``.
    """

    def __init__(self, model, tokenizer, join: str = "script"):
        self.reader, self.tokenizer, self.join = Reader(model, tokenizer), tokenizer, join

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> LeftToRightWork:
        """All sentences as token ids, for every number of masks up to the longest candidate's."""
        return LeftToRightWork(self, asks, candidates)


class LeftToRightWork:
    """The sentences of a relation. A size is just the tokens that the model reads for an ask by itself."""

    def __init__(self, scorer: LeftToRightScorer, asks: Sequence[Ask], candidates: Candidates):
        self.reader, self.mask = scorer.reader, scorer.tokenizer.mask_token_id
        self.asks, self.tokens = asks, candidates.tokens
        between, limit = glue(scorer.join, candidates.lang), token_limit(scorer.reader.model, scorer.tokenizer)
        most = max(1, *map(len, candidates.tokens), 1)
        self.encoded = encode(scorer.tokenizer, [ask.context + ask.prompt for ask in asks], most, limit, between)
        self.faults = [code.fault for code in self.encoded]
        inputs = cache(self._inputs)
        self.sizes = [
            sum(n * len(code.ids[m - 1]) for m, n in inputs(ask.choice).items()) if code.fault is None else 0
            for ask, code in zip(asks, self.encoded, strict=True)
        ]

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with log-probabilities alone; what candidates of one length begin with is run once."""
        choices = [self._choice(self.asks[i].choice) for i in which]
        wanted = Lookups((len(which), max(map(len, choices))))
        for row, (i, choice) in enumerate(zip(which, choices, strict=True)):
            for column, tokens in enumerate(choice):
                if len(tokens):
                    self._fill_in(wanted, (row, column), self.encoded[i].ids[len(tokens) - 1], tokens)
        sums, counts = wanted.table(self.reader.logprob(wanted))
        finite = (np.isfinite(sums) | (counts == 0)).all(axis=1)
        broken = Answer(fault=not_finite(self.reader.model))
        return [Answer(logprob=sums[n, : len(own)]) if finite[n] else broken for n, own in enumerate(choices)]

    def _fill_in(self, wanted: Lookups, cell: tuple[int, int], masked: list[int], tokens: Sequence[int]) -> None:
        ids = masked.copy()
        gaps = [place for place, token in enumerate(ids) if token == self.mask]
        for place, token in zip(gaps, tokens, strict=True):
            wanted.add(cell, ids, place, token)
            ids[place] = token

    def _choice(self, choice: tuple[int, ...] | None) -> Sequence[Sequence[int]]:
        return self.tokens if choice is None else [self.tokens[i] for i in choice]

    def _inputs(self, choice: tuple[int, ...] | None) -> Counter[int]:
        """For each number of masks how many inputs a choice needs: its candidates' distinct beginnings."""
        return Counter(m for m, _ in {(len(t), tuple(t[:i])) for t in self._choice(choice) for i in range(len(t))})
