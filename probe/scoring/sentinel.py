"""Scoring by sentinel tokens, with T5, mT5 and their kin: what a model writes for the gap in what it reads.

As in BMLAMA's 1_easyrun/main.py (Qi et al. 2023, EMNLP; Betswish/Cross-Lingual-Consistency): the model reads the
sentence with `<extra_id_0>` for [Y], and a candidate is worth the log-probabilities of its tokens when it writes
`<extra_id_0> candidate <extra_id_1>`; those of the sentinels are not counted. Their score is minus the mean, ours the
sum and the count. A candidate's tokens are what the tokenizer makes of it behind the sentinel and a space. A lone "▁"
that a SentencePiece tokenizer puts before a script without spaces is one of them, as it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_builders.errors import FactrootsError
from data_builders.facts import OBJECT
from probe.scoring.encode import token_limit
from probe.scoring.runs import halved, runs
from probe.scoring.scorer import BATCH_TOKENS, Answer, Ask, Candidates, not_finite
from probe.scoring.steps import Steps
from probe.scoring.vocabulary import linear_blocks, target_blocks
from probe.scoring.written import Branch, Written

GAP, CLOSE = "<extra_id_0>", "<extra_id_1>"

#: Numbers that the cache of what is run at a time may hold: 64 MB of float32.
CACHE_CELLS = 1 << 24


class Gapped(NamedTuple):
    """A sentence with a gap, as token ids, and what is to be written for it."""

    ids: Sequence[int]
    written: Written


class SentinelScorer:
    """`model` is a transformers sequence-to-sequence model, in eval mode, trained on gaps as T5 was.

    Raises FactrootsError when the tokenizer has no sentinels (BART's kin) or the model cannot be run in steps.
    """

    def __init__(self, model, tokenizer):
        vocabulary = tokenizer.get_vocab()
        if GAP not in vocabulary or CLOSE not in vocabulary:
            raise FactrootsError(
                f"the tokenizer has no {GAP} and {CLOSE}: of sequence-to-sequence models, only T5, mT5 and their kin "
                "can be scored"
            )
        self.model, self.tokenizer, self.gap = model, tokenizer, vocabulary[GAP]
        shifted = model.prepare_decoder_input_ids_from_labels(torch.tensor([[self.gap]], device=model.device))
        self.begin = [int(shifted[0, 0]), self.gap]
        with torch.inference_mode():
            self.steps = Steps(model, tokenizer.pad_token_id or 0, [vocabulary[CLOSE], *self.begin, 1])
        self.run_tokens = max(1, min(BATCH_TOKENS, CACHE_CELLS // self.steps.cells))  # halved when memory runs out

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> SentinelWork:
        """All sentences, looked at for whether they can be asked, and the candidates as they are written."""
        found = self.encode([f"{GAP} {label}" for label in candidates.labels], add_special_tokens=False)
        return SentinelWork(self, asks, [ids[ids.index(self.gap) + 1 :] for ids in found])

    def encode(self, texts: Sequence[str], **options) -> list[list[int]]:
        """Texts as the tokenizer has them, with the end token that it adds."""
        return self.tokenizer(list(texts), **options)["input_ids"] if texts else []

    @torch.inference_mode()
    def score(self, inputs: Sequence[Gapped]) -> list[np.ndarray]:
        """For each input the log-probabilities of its candidates, float32, in the order of ``written.labels``."""
        found: dict[int, np.ndarray] = {}

        def read(run: Sequence[int]) -> None:
            found.update(zip(run, self._read([inputs[i] for i in run]), strict=True))

        for run in runs([len(one.ids) for one in inputs], self.run_tokens):
            halved(read, run, self._shrink)
        return [found[i] for i in range(len(inputs))]

    def _read(self, inputs: Sequence[Gapped]) -> list[np.ndarray]:
        """Inputs are read once; of what is written for them, the first token once and then branch by branch."""
        read, states = self.steps.read([one.ids for one in inputs], self.begin)
        logprob = [np.zeros(len(one.written.tokens), dtype=np.float32) for one in inputs]

        def predict(states: Tensor, some: Sequence[tuple[int, Branch]]) -> None:
            tokens = np.concatenate([inputs[n].written.tokens[branch.nodes] for n, branch in some])
            parts = self._targets(states, [branch.places for _, branch in some], tokens)
            for (n, branch), part in zip(some, parts, strict=True):
                logprob[n][branch.nodes] = part

        predict(states[:, -1:], [(n, one.written.first) for n, one in enumerate(inputs)])
        branches = [(n, branch) for n, one in enumerate(inputs) for branch in one.written.branches]

        def write(run: Sequence[int]) -> None:
            some = [branches[i] for i in run]
            which = torch.tensor([n for n, _ in some], device=states.device)
            predict(self.steps.write(read.branches(which), [branch.tokens for _, branch in some]), some)

        lengths = [read.hidden.shape[1] + len(self.begin) + len(branch.tokens) for _, branch in branches]
        for run in runs(lengths, self.run_tokens, self.run_tokens):
            halved(write, run, self._shrink)
        return [one.written.totals(values) for one, values in zip(inputs, logprob, strict=True)]

    def _targets(self, states: Tensor, places: Sequence[np.ndarray], tokens: np.ndarray) -> list[np.ndarray]:
        """log p of `tokens`, which follow the `places` of each of the rows of states [n, length, d]; row by row."""
        counts = [len(part) for part in places]
        spots = np.repeat(np.arange(len(states)) * states.shape[1], counts) + np.concatenate(places)
        spots, place = np.unique(spots, return_inverse=True)
        spots, place, token = (torch.from_numpy(part).to(states.device) for part in (spots, place, tokens))
        logits = linear_blocks(states.flatten(0, 1)[spots], self.steps.weight, self.steps.bias)
        found = target_blocks(logits, len(spots), len(self.steps.weight), place, token)
        return np.split(found.cpu().numpy(), np.cumsum(counts)[:-1])

    def _shrink(self) -> None:
        self.run_tokens = max(1, self.run_tokens // 2)


@dataclass
class SentinelWork:
    """The sentences of a relation, and its candidates' `tokens` as they are written behind the sentinel."""

    scorer: SentinelScorer
    asks: Sequence[Ask]
    tokens: Sequence[Sequence[int]]

    def __post_init__(self):
        self.counts = np.array([len(t) for t in self.tokens], dtype=np.int32)
        limit = token_limit(self.scorer.model, self.scorer.tokenizer)
        ids = self._encoded(range(len(self.asks)))
        self.sizes = [len(i) + int(self.counts[self._choice(a)].sum()) for i, a in zip(ids, self.asks, strict=True)]
        self.faults = [self._fault(i, self._choice(a), limit) for i, a in zip(ids, self.asks, strict=True)]

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with the log-probabilities of all candidates, or of each ask's choice."""
        asked = [i for i in which if self.faults[i] is None]
        sentence = dict(zip(asked, map(tuple, self._encoded(asked)), strict=True))
        wanted: dict[tuple[int, ...], set[int]] = {}  # distinct sentences, and the candidates of all who ask them
        for i, ids in sentence.items():
            wanted.setdefault(ids, set()).update(self._choice(self.asks[i]).tolist())
        choices = [tuple(sorted(choice)) for choice in wanted.values()]
        written = {choice: Written(self.scorer.gap, choice, self.tokens) for choice in set(choices)}
        inputs = {ids: Gapped(ids, written[choice]) for ids, choice in zip(wanted, choices, strict=True)}
        found = dict(zip(inputs, self.scorer.score(list(inputs.values())), strict=True))
        return [
            Answer(self.faults[i])
            if i not in sentence
            else self._answer(self.asks[i], inputs[sentence[i]].written.labels, found[sentence[i]])
            for i in which
        ]

    def _answer(self, ask: Ask, labels: Sequence[int], values: np.ndarray) -> Answer:
        logprob, choice = np.full(len(self.tokens), np.nan, dtype=np.float32), self._choice(ask)
        logprob[labels] = values
        if not np.isfinite(logprob[choice][self.counts[choice] > 0]).all():
            return Answer(not_finite(self.scorer.model))
        return Answer(logprob=logprob[choice], count=self.counts[choice])

    def _choice(self, ask: Ask) -> np.ndarray:
        return np.arange(len(self.tokens)) if ask.choice is None else np.array(ask.choice, dtype=np.int64)

    def _encoded(self, which: Sequence[int]) -> list[list[int]]:
        asks = [self.asks[i] for i in which]
        return self.scorer.encode([(ask.context + ask.prompt).replace(OBJECT, GAP) for ask in asks])

    def _fault(self, ids: list[int], choice: np.ndarray, limit: int) -> str | None:
        if ids.count(self.scorer.gap) != 1:
            return "the prompt holds a sentinel or a slot of its own"
        if len(ids) > limit:
            return f"the prompt is longer than the model's {limit} tokens"
        if len(self.scorer.begin) + self.counts[choice].max(initial=0) - 1 > limit:
            return f"a candidate is longer than the model's {limit} tokens"
        return None
