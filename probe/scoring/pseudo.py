"""Pseudo-log-likelihood of the whole filled sentence with a masked LM, as LM-PUB-QUIZ takes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_builders.errors import unknown
from data_builders.facts import OBJECT
from probe.scoring.encode import token_limit
from probe.scoring.lookups import Lookups, Reader
from probe.scoring.masking import METRICS, Sentence, filled
from probe.scoring.scorer import Answer, Ask, Candidates, not_finite


class PseudoScorer:
    """LM-PUB-QUIZ's scores of masked LMs (Ploner et al. 2024; lm-pub-quiz 0.3.3, ``MaskedLMScoringMixin``).

    A candidate's score is the sum over all tokens of the sentence that it fills, special ones left out, of
    log p(token | the sentence with the token and what `metric` adds masked); its count is how many they are.
    Their ``capitalize``, on by default, is the prompts' matter. Under ``sentence_l2r`` they mask the padding of
    their batches too, to no effect on a model that ignores padding; here there is none to mask.

    The tokenizer must be a fast one. Raises FactrootsError for an unknown metric.
    """

    def __init__(self, model, tokenizer, metric: str = "within_word_l2r"):
        if metric not in METRICS:
            raise unknown("pseudo-log-likelihood", metric, METRICS)
        self.tokenizer, self.masked, self.mask = tokenizer, METRICS[metric], tokenizer.mask_token_id
        self.reader, self.limit = Reader(model, tokenizer), token_limit(model, tokenizer)

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> PseudoWork:
        """All sentences, tokenised with their shortest candidate alone: the others are when they are scored."""
        return PseudoWork(self, asks, candidates)

    def look_up(self, wanted: Lookups, cell: tuple[int, int], sentence: Sentence) -> None:
        """Want every scored token of `sentence`, each with what the metric masks for it masked."""
        for i, place in enumerate(sentence.scored):
            ids = sentence.ids.copy()
            for hidden in self.masked(sentence, i):
                ids[hidden] = self.mask
            wanted.add(cell, ids, place, sentence.ids[place])


class PseudoWork:
    """The sentences of a relation. A size supposes one pass for each token of each candidate's sentence."""

    def __init__(self, scorer: PseudoScorer, asks: Sequence[Ask], candidates: Candidates):
        self.scorer, self.asks, self.candidates = scorer, asks, candidates
        self.sizes: list[int] = [0] * len(asks)
        self.faults: list[str | None] = [None] * len(asks)
        pairs = []  # of each ask its number and its shortest candidate
        for number, ask in enumerate(asks):
            if (ask.context + ask.prompt).count(OBJECT) != 1:
                self.faults[number] = "the prompt holds a mask or a slot of its own"
            elif scorable := self._scorable(ask):
                pairs.append((number, min((i for _, i in scorable), key=lambda i: len(candidates.tokens[i]))))
        sentences = filled(scorer.tokenizer, [(asks[number], candidates.labels[i]) for number, i in pairs])
        for (number, i), sentence in zip(pairs, sentences, strict=True):
            self._measure(number, sentence.ids, candidates.tokens[i])

    def _measure(self, number: int, ids: list[int], own: Sequence[int]) -> None:
        """Set the size and the fault of an ask whose sentence, filled with the candidate `own`, is `ids`."""
        lengths = [len(self.candidates.tokens[i]) for _, i in self._scorable(self.asks[number])]
        self.sizes[number] = round(len(lengths) * (len(ids) - len(own) + np.mean(lengths)) ** 2)
        if ids.count(self.scorer.mask) != list(own).count(self.scorer.mask):
            self.faults[number] = "the prompt holds a mask or a slot of its own"
        elif len(ids) > self.scorer.limit:
            self.faults[number] = self._overlong()

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with log-probabilities and counts; inputs that candidates or asks share are run once."""
        asks = [self.asks[i] for i in which]
        cells = [(row, column, i) for row, ask in enumerate(asks) for column, i in self._scorable(ask)]
        sentences = filled(self.scorer.tokenizer, [(asks[row], self.candidates.labels[i]) for row, _, i in cells])
        overlong = {row for (row, *_), own in zip(cells, sentences, strict=True) if len(own.ids) > self.scorer.limit}
        wanted = Lookups((len(asks), max(self._width(ask) for ask in asks)))
        for (row, column, _), sentence in zip(cells, sentences, strict=True):
            if row not in overlong:
                self.scorer.look_up(wanted, (row, column), sentence)
        sums, counts = wanted.table(self.scorer.reader.logprob(wanted))
        answers = [self._answer(ask, *parts) for ask, *parts in zip(asks, sums, counts, strict=True)]
        return [Answer(fault=self._overlong()) if row in overlong else own for row, own in enumerate(answers)]

    def _answer(self, ask: Ask, logprob: np.ndarray, count: np.ndarray) -> Answer:
        if not np.isfinite(logprob[count > 0]).all():
            return Answer(fault=not_finite(self.scorer.reader.model))
        return Answer(logprob=logprob[: self._width(ask)], count=count[: self._width(ask)])

    def _width(self, ask: Ask) -> int:
        return len(self.candidates.labels if ask.choice is None else ask.choice)

    def _scorable(self, ask: Ask) -> list[tuple[int, int]]:
        """The column and the number of each candidate in the ask's choice that has tokens of its own."""
        choice = range(len(self.candidates.labels)) if ask.choice is None else ask.choice
        return [(column, i) for column, i in enumerate(choice) if len(self.candidates.tokens[i])]

    def _overlong(self) -> str:
        return f"the prompt is longer than the model's {self.scorer.limit} tokens"
