"""Masked-LM scoring: one pass over each distinct (prompt, number of masks) gives every number that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from probe.scoring.encode import Encoded, encode, glue, token_limit
from probe.scoring.head import cut, ignores_padding
from probe.scoring.runs import RUN_TOKENS, halved, padded, runs
from probe.scoring.scorer import BATCH_TOKENS, Answer, Ask, Candidates, not_finite
from probe.scoring.vocabulary import CELLS, Kept, reduce_blocks, reduce_logits


class Scores(NamedTuple):
    """What is kept of a batch of n prompts.

    logprob : float32 [n, candidates], the sum over a candidate's tokens o_1..o_m of
        log p(mask_i = o_i | prompt with m masks); NaN where the candidate has no tokens.
    argmax : int32 [n, K(K+1)/2], the most probable token at each mask for 1, 2, .. K masks, one after another.
    normaliser : float32 [n, K], the log of the softmax's denominator, summed over the masks, for 1, 2, .. K masks.
    """

    logprob: np.ndarray
    argmax: np.ndarray
    normaliser: np.ndarray


class MaskedScorer:
    """Scores sentences with a masked LM: as many masks as a candidate has tokens, positions independent.

    `model` is a transformers model with a masked-LM head, in eval mode; `join` says what stands between masks (see
    :func:`probe.scoring.encode.glue`).
    """

    chooses = False  # all candidates come out of the same positions

    def __init__(self, model, tokenizer, join: str = "space"):
        self.tokenizer, self.join = tokenizer, join
        self.model, self.mask, self.pad = model, tokenizer.mask_token_id, tokenizer.pad_token_id or 0
        with torch.inference_mode():
            self.halves = cut(model, self.mask)
            self.joined = RUN_TOKENS if ignores_padding(model, self.mask, self.pad) else 0
        self.run_tokens = BATCH_TOKENS  # halved when memory runs out

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> MaskedWork:
        """All sentences as token ids, for every number of masks up to the longest candidate's."""
        grouped = Grouped(candidates.tokens)
        prompts = [ask.context + ask.prompt for ask in asks]
        between, limit = glue(self.join, candidates.lang), token_limit(self.model, self.tokenizer)
        return MaskedWork(self, asks, encode(self.tokenizer, prompts, max(1, grouped.most), limit, between), grouped)

    @torch.inference_mode()
    def score(self, prompts: Sequence[Encoded], candidates: Grouped) -> Scores:
        """Scores of prompts that have no fault, over all of `candidates`."""
        rows = [(k, n) for n, prompt in enumerate(prompts) for k in range(1, len(prompt.ids) + 1)]
        most = len(prompts[0].ids)
        kept = Scores(
            np.full((len(prompts), candidates.count), np.nan, dtype=np.float32),
            np.empty((len(prompts), most * (most + 1) // 2), dtype=np.int32),
            np.empty((len(prompts), most), dtype=np.float32),
        )
        tokens = candidates.vocabulary.to(self.model.device)

        def run(which: Sequence[int]) -> None:
            part = [rows[i] for i in which]
            inputs = padded([prompts[n].ids[k - 1] for k, n in part], self.pad, self.model.device)
            _scatter(part, self._reduce(*inputs, tokens), candidates, kept)

        most_tokens = min(self.run_tokens, CELLS // max(1, len(tokens)))  # bounds [masks, chosen tokens]
        for which in runs([len(prompts[n].ids[k - 1]) for k, n in rows], most_tokens, self.joined):
            halved(run, which, self._smaller)
        return kept

    def _smaller(self) -> None:
        self.run_tokens = max(1, self.run_tokens // 2)

    def _reduce(self, ids: Tensor, attention: Tensor | None, tokens: Tensor) -> Kept:
        where = ids == self.mask
        if self.halves is None:
            return reduce_logits(self.model(input_ids=ids, attention_mask=attention).logits[where], tokens)
        states = self.halves.transform(self.halves.encode(ids, attention)[where])
        return reduce_blocks(states, self.halves.weight, self.halves.bias, tokens)


@dataclass
class MaskedWork:
    """The sentences of a relation, each encoded for every number of masks."""

    scorer: MaskedScorer
    asks: Sequence[Ask]
    encoded: Sequence[Encoded]
    candidates: Grouped

    def __post_init__(self):
        self.sizes = [code.size for code in self.encoded]
        self.faults = [code.fault for code in self.encoded]

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with every part that independent masks give."""
        scores = self.scorer.score([self.encoded[i] for i in which], self.candidates)
        finite = np.isfinite(scores.normaliser).all(axis=1)
        finite &= np.isfinite(scores.logprob[:, self.candidates.lengths > 0]).all(axis=1)
        broken = Answer(fault=not_finite(self.scorer.model))
        return [_answer(self.asks[i], scores, row) if finite[row] else broken for row, i in enumerate(which)]


def _answer(ask: Ask, scores: Scores, row: int) -> Answer:
    logprob = scores.logprob[row]
    chosen = logprob if ask.choice is None else logprob[list(ask.choice)]
    return Answer(logprob=chosen, argmax=scores.argmax[row], normaliser=scores.normaliser[row])


class Grouped:
    """The candidates of a relation as token ids, grouped by their number of tokens.

    vocabulary : int64 [u], the distinct token ids in ascending order.
    by_length : for each number of tokens m, the candidates' indices [c] and, as columns of `vocabulary`, their
        tokens [c, m].
    """

    def __init__(self, tokens: Sequence[Sequence[int]]):
        self.count = len(tokens)
        self.lengths = np.array([len(t) for t in tokens], dtype=np.int32)
        distinct = sorted({i for t in tokens for i in t})
        column = {token: i for i, token in enumerate(distinct)}
        self.vocabulary = torch.tensor(distinct, dtype=torch.long)
        self.by_length = {}
        for m in sorted({len(t) for t in tokens} - {0}):
            which = [i for i, t in enumerate(tokens) if len(t) == m]
            self.by_length[m] = np.array(which), np.array([[column[i] for i in tokens[j]] for j in which])

    @property
    def most(self) -> int:
        """The greatest number of tokens of any candidate: how many numbers of masks are run."""
        return int(self.lengths.max(initial=0))


def _scatter(rows: Sequence[tuple[int, int]], found: Kept, candidates: Grouped, kept: Scores) -> None:
    """Put positions, which lie sequence after sequence, where their prompt and mask count belong."""
    values, best, normaliser = (part.cpu().numpy() for part in found)
    counts, numbers = np.array(rows).T
    starts = np.cumsum(counts) - counts
    for k in np.unique(counts):
        inside = np.flatnonzero(counts == k)
        prompts = numbers[inside]
        positions = starts[inside, None] + np.arange(k)
        kept.argmax[prompts[:, None], k * (k - 1) // 2 + np.arange(k)] = best[positions]
        kept.normaliser[prompts, k - 1] = normaliser[positions].sum(axis=1)
        which, columns = candidates.by_length.get(int(k), (None, None))
        if which is not None:
            total = sum(values[positions[:, i]][:, columns[:, i]] for i in range(k))
            kept.logprob[np.ix_(prompts, which)] = total
