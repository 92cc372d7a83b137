"""Teacher-forced scoring with a masked LM: a candidate's tokens are filled in from left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from data_builders.errors import unknown
from probe.scoring.encode import encode, glue, token_limit
from probe.scoring.filling import FILLS, Blank
from probe.scoring.lookups import Lookups, Reader
from probe.scoring.scorer import Answer, Ask, Candidates, not_finite


class LeftToRightScorer:
    """BMLAMA's way with masked LMs (Qi et al. 2023; Betswish/Cross-Lingual-Consistency, ``predict_mask``).

    A candidate o_1..o_m stands in for m masks, one token after another: its score is the sum over i of
    log p(mask_i = o_i | o_1..o_{i-1}, masks i..m). (Theirs is minus the mean.) `join` says what stands between masks
    (:func:`probe.scoring.encode.glue`).

    `fill` says how a token is filled in: as its id (``ids``), which is what is meant; or, as their script has it, as
    the text of its piece in a sentence that is then tokenised anew (``text``). Pieces that continue a word may not
    survive that: ``##is`` comes back as ``#``, ``#``, ``is``. Raises FactrootsError for any other.
    """

    def __init__(self, model, tokenizer, join: str = "script", fill: str = "ids"):
        if fill not in FILLS:
            raise unknown("way to fill in", fill, FILLS)
        self.tokenizer, self.join, self.fill = tokenizer, join, FILLS[fill]
        self.reader, self.limit = Reader(model, tokenizer), token_limit(model, tokenizer)

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> LeftToRightWork:
        """All sentences as token ids, for every number of masks up to the longest candidate's."""
        return LeftToRightWork(self, asks, candidates)


class LeftToRightWork:
    """The sentences of a relation. A size is just the tokens that the model reads for an ask by itself."""

    def __init__(self, scorer: LeftToRightScorer, asks: Sequence[Ask], candidates: Candidates):
        self.scorer, self.asks, self.tokens = scorer, asks, candidates.tokens
        self.prompts, self.between = [ask.context + ask.prompt for ask in asks], glue(scorer.join, candidates.lang)
        most = max(1, *map(len, candidates.tokens), 1)
        self.encoded = encode(scorer.tokenizer, self.prompts, most, scorer.limit, self.between)
        self.faults = [code.fault for code in self.encoded]
        inputs = cache(self._inputs)
        self.sizes = [
            sum(n * len(code.ids[m - 1]) for m, n in inputs(ask.choice).items()) if code.fault is None else 0
            for ask, code in zip(asks, self.encoded, strict=True)
        ]

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with log-probabilities alone; what candidates of one length begin with is run once."""
        choices = [self._choice(self.asks[i].choice) for i in which]
        cells = [(row, column) for row, choice in enumerate(choices) for column, own in enumerate(choice) if len(own)]
        blanks = [Blank(self.prompts[i := which[row]], self.encoded[i], choices[row][column]) for row, column in cells]
        filled = self.scorer.fill(self.scorer.tokenizer, blanks, self.between)
        overlong, wanted = set(), Lookups((len(which), max(map(len, choices))))
        for cell, steps in zip(cells, filled, strict=True):
            if max(len(step.ids) for step in steps) > self.scorer.limit:
                overlong.add(cell[0])
                continue
            for step in steps:
                wanted.add(cell, *step)
        sums, counts = wanted.table(self.scorer.reader.logprob(wanted))
        finite = (np.isfinite(sums) | (counts == 0)).all(axis=1)
        faults = [None if fine else not_finite(self.scorer.reader.model) for fine in finite]
        for row in overlong:
            faults[row] = f"the prompt is longer than the model's {self.scorer.limit} tokens"
        logprobs = [sums[row, : len(own)] for row, own in enumerate(choices)]
        return [Answer(fault=f) if f else Answer(logprob=own) for f, own in zip(faults, logprobs, strict=True)]

    def _choice(self, choice: tuple[int, ...] | None) -> Sequence[Sequence[int]]:
        return self.tokens if choice is None else [self.tokens[i] for i in choice]

    def _inputs(self, choice: tuple[int, ...] | None) -> Counter[int]:
        """For each number of masks how many inputs a choice needs: its candidates' distinct beginnings."""
        return Counter(m for m, _ in {(len(t), tuple(t[:i])) for t in self._choice(choice) for i in range(len(t))})
