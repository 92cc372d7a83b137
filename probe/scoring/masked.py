"""Masked-LM scoring: one pass over each distinct (prompt, number of masks) gives every number that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_builders.errors import FactrootsError
from probe.scoring.encode import Encoded
from probe.scoring.head import cut, ignores_padding
from probe.scoring.vocabulary import CELLS, Kept, reduce_blocks, reduce_logits

#: Tokens of a batch of prompts over all their numbers of masks: what a kill can lose.
BATCH_TOKENS = 4096
#: Sequences of one length run together, without padding; shorter runs are joined until they hold so many tokens.
RUN_TOKENS = 1024


class Scores(NamedTuple):
    """What is kept of a batch of n prompts.

    logprob : float32 [n, candidates], the sum over a candidate's tokens o_1..o_m of
        log p(mask_i = o_i | prompt with m masks); NaN where the candidate has no tokens.
    argmax : int32 [n, K(K+1)/2], the most probable token at each mask for 1, 2, .. K masks, one after another.
    """

    logprob: np.ndarray
    argmax: np.ndarray


def batches(prompts: Sequence[Encoded], tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices of prompts in batches of at most `tokens` tokens (at least one prompt), sorted by length.

    The order depends on the prompts alone, so that a resumed run cuts the same batches.
    """
    order = sorted((i for i, p in enumerate(prompts) if p.fault is None), key=lambda i: (prompts[i].size, i))
    batch, held = [], 0
    for i in order:
        if batch and held + prompts[i].size > tokens:
            yield batch
            batch, held = [], 0
        batch.append(i)
        held += prompts[i].size
    if batch:
        yield batch


class MaskedScorer:
    """Scores prompts with a masked LM. `model` is a transformers model with a masked-LM head, in eval mode."""

    def __init__(self, model, tokenizer):
        self.model, self.mask, self.pad = model, tokenizer.mask_token_id, tokenizer.pad_token_id or 0
        with torch.inference_mode():
            self.halves = cut(model, self.mask)
            self.joined = RUN_TOKENS if ignores_padding(model, self.mask, self.pad) else 0
        self.run_tokens = BATCH_TOKENS  # halved when memory runs out

    @torch.inference_mode()
    def score(self, prompts: Sequence[Encoded], candidates: Candidates) -> Scores:
        """Scores of prompts that have no fault, over all of `candidates`."""
        rows = [(len(ids), k, n) for n, p in enumerate(prompts) for k, ids in enumerate(p.ids, start=1)]
        logprob = np.full((len(prompts), candidates.count), np.nan, dtype=np.float32)
        most = len(prompts[0].ids)
        argmax = np.empty((len(prompts), most * (most + 1) // 2), dtype=np.int32)
        tokens = candidates.vocabulary.to(self.model.device)
        most_tokens = min(self.run_tokens, CELLS // max(1, len(tokens)))  # bounds [masks, chosen tokens]
        for run in _runs(sorted(rows), most_tokens, self.joined):
            kept = self._forward([prompts[n].ids[k - 1] for _, k, n in run], tokens)
            self._scatter(run, kept, candidates, logprob, argmax)
        if np.isnan(logprob[:, candidates.lengths > 0]).any():
            raise FactrootsError(f"the model's scores are not numbers in {self.model.dtype}; use --dtype float32")
        return Scores(logprob, argmax)

    def _forward(self, sequences: list[list[int]], tokens: Tensor) -> Kept:
        """Run sequences and reduce their masked positions; halves the work until it fits into memory."""
        try:
            return self._reduce(*self._tensors(sequences), tokens)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "memory" not in str(error):
                raise
            if len(sequences) == 1:
                raise FactrootsError("out of memory on a single sequence; use a smaller model or dtype") from error
            self.run_tokens = BATCH_TOKENS  # halved when memory runs out
        middle = len(sequences) // 2
        parts = [self._forward(part, tokens) for part in (sequences[:middle], sequences[middle:])]
        return Kept(*(torch.cat(columns) for columns in zip(*parts, strict=True)))

    def _tensors(self, sequences: list[list[int]]) -> tuple[Tensor, Tensor | None]:
        longest = max(map(len, sequences))
        ids = torch.tensor([s + [self.pad] * (longest - len(s)) for s in sequences])
        if all(len(s) == longest for s in sequences):
            return ids.to(self.model.device), None
        lengths = torch.tensor([len(s) for s in sequences])
        attention = (torch.arange(longest) < lengths[:, None]).long()
        return ids.to(self.model.device), attention.to(self.model.device)

    def _reduce(self, ids: Tensor, attention: Tensor | None, tokens: Tensor) -> Kept:
        where = ids == self.mask
        if self.halves is None:
            return reduce_logits(self.model(input_ids=ids, attention_mask=attention).logits[where], tokens)
        states = self.halves.transform(self.halves.encode(ids, attention)[where])
        return reduce_blocks(states, self.halves.weight, self.halves.bias, tokens)

    @staticmethod
    def _scatter(run, kept: Kept, candidates: Candidates, logprob: np.ndarray, argmax: np.ndarray) -> None:
        """Put a run's positions, which lie sequence after sequence, where their prompt and mask count belong."""
        values, best = kept.logprob.cpu().numpy(), kept.argmax.cpu().numpy()
        counts = np.array([k for _, k, _ in run])
        starts = np.cumsum(counts) - counts
        for k in np.unique(counts):
            inside = np.flatnonzero(counts == k)
            prompts = np.array([run[i][2] for i in inside])
            positions = starts[inside, None] + np.arange(k)
            argmax[prompts[:, None], k * (k - 1) // 2 + np.arange(k)] = best[positions]
            which, columns = candidates.by_length.get(int(k), (None, None))
            if which is not None:
                total = sum(values[positions[:, i]][:, columns[:, i]] for i in range(k))
                logprob[np.ix_(prompts, which)] = total


class Candidates:
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


def _runs(rows: list[tuple[int, int, int]], most: int, joined: int) -> Iterator[list[tuple[int, int, int]]]:
    """Cut sorted (length, masks, prompt) rows into runs of one length, or of more while they hold < `joined` tokens."""
    run: list[tuple[int, int, int]] = []
    for row in rows:
        full = (len(run) + 1) * row[0] > most
        longer = run and row[0] != run[-1][0] and len(run) * run[-1][0] >= joined
        if run and (full or longer):
            yield run
            run = []
        run.append(row)
    if run:
        yield run
