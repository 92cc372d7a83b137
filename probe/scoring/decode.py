"""X-FACTR's decoding: what a masked LM itself fills in, over its whole vocabulary, for 1, 2, .. K masks.

Jiang et al. 2020 (EMNLP, arXiv 2010.06189), `iter_decode_beam_search` in scripts/probe.py of jzbjyb/X-FACTR, with a
beam of one. As there, every token of the vocabulary may be predicted, special ones too; a token that is predicted
again keeps the log-probability that it had; initial predictions and repetitions together end after 2 K rounds, their
`--max_iter 10` for 5 masks. Not as there:

- ties go to the first token and the first mask; they add random noise below 1e-5 to all log-probabilities, round by
  round;
- a mask that the model predicts to be a mask counts as filled in, with its log-probability; they leave it open, count
  it as certain and, with ``iterate="left"``, never end (or stop with an assertion).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from data_builders.errors import FactrootsError, unknown
from probe.scoring.blanks import INITS, ITERATIONS, Blanks
from probe.scoring.encode import Encoded, encode, glue, token_limit
from probe.scoring.head import cut, ignores_padding
from probe.scoring.runs import RUN_TOKENS, halved, padded, runs
from probe.scoring.scorer import BATCH_TOKENS, Answer, Ask, Candidates, not_finite
from probe.scoring.vocabulary import CELLS, reduce_blocks


class DecodeScorer:
    """Fills 1..`masks` masks of each sentence; candidates are not looked at.

    init : all masks at once (``all``), from the left (``left``) or the surest first (``confidence``), the others being
        predicted again after each.
    iterate : what is filled in stays (``none``), or each is masked and predicted again, from the left until a pass
        changes nothing (``left``), or the least sure until it does not change (``confidence``).
    join : what stands between masks and between words of the text that is made of tokens, see
        :func:`probe.scoring.encode.glue`; ``space`` is the published way.
    """

    chooses = False

    def __init__(
        self, model, tokenizer, masks: int = 5, init: str = "all", iterate: str = "none", join: str = "script"
    ):
        for kind, name, table in (("init", init, INITS), ("iterate", iterate, ITERATIONS)):
            if name not in table:
                raise unknown(kind, name, table)
        if masks < 1:
            raise FactrootsError(f"masks is {masks}; give the greatest number of masks to fill in, at least 1")
        self.model, self.tokenizer, self.masks = model, tokenizer, masks
        self.init, self.iterate, self.join = init, iterate, join
        self.mask, self.pad = tokenizer.mask_token_id, tokenizer.pad_token_id or 0
        with torch.inference_mode():
            self.halves = cut(model, self.mask)
            self.joined = RUN_TOKENS if ignores_padding(model, self.mask, self.pad) else 0
        # halved when memory runs out; a model that is run whole holds the logits of every token
        self.run_tokens = BATCH_TOKENS if self.halves else max(1, 16 * CELLS // model.config.vocab_size)

    def work(self, asks: Sequence[Ask], candidates: Candidates) -> DecodeWork:
        """All sentences, looked at for whether they can be asked."""
        return DecodeWork(self, [ask.context + ask.prompt for ask in asks], glue(self.join, candidates.lang))

    @torch.inference_mode()
    def fill(self, sequences: Sequence[Sequence[int]]) -> Blanks:
        """Sequences of token ids with one mask or more each, filled in."""
        blanks = Blanks(sequences, self.mask, self.init, self.iterate)
        for _ in range(2 * self.masks):
            wanted = blanks.wanted()
            if not wanted.any():
                break
            blanks.fill(wanted, *self._predict(blanks, wanted))
        return blanks

    def _predict(self, blanks: Blanks, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The most probable token at each wanted cell and its log-probability [n, K]."""
        tokens, logprob = np.zeros(wanted.shape, np.int64), np.zeros(wanted.shape, np.float32)
        rows = np.flatnonzero(wanted.any(axis=1))
        sequences = {row: blanks.sequence(row, wanted) for row in rows.tolist()}

        def forward(some: np.ndarray) -> None:
            ids, attention = padded([sequences[row] for row in some.tolist()], self.pad, self.model.device)
            row, cell = np.nonzero(wanted[some])
            best = self._best(ids, attention, torch.from_numpy(row), torch.from_numpy(blanks.at[some[row], cell]))
            tokens[some[row], cell], logprob[some[row], cell] = (part.cpu().numpy() for part in best)

        for run in runs([blanks.lengths[row] for row in rows], self.run_tokens, self.joined):
            halved(forward, rows[run], self._shrink)
        return tokens, logprob

    def _best(self, ids: Tensor, attention: Tensor | None, row: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """The most probable token at each place, and its log-probability; ties go to the first id."""
        if self.halves is None:
            logits = self.model(input_ids=ids, attention_mask=attention).logits[row, place].float()
            best = logits.argmax(dim=1)
            return best, logits.gather(1, best[:, None])[:, 0] - logits.logsumexp(dim=1)
        weight, bias = self.halves.weight, self.halves.bias
        states = self.halves.transform(self.halves.encode(ids, attention)[row, place])
        kept = reduce_blocks(states, weight, bias, torch.zeros(0, dtype=torch.long, device=states.device))
        logit = (states * weight[kept.argmax]).sum(dim=1) + (0 if bias is None else bias[kept.argmax])
        return kept.argmax, (logit.float() - kept.normaliser).clamp(max=0)  # rounding can lift it above, by an ulp

    def _shrink(self) -> None:
        self.run_tokens = max(1, self.run_tokens // 2)


@dataclass
class DecodeWork:
    """The sentences of a relation; they are encoded once to be looked at and again, a batch at a time, to be run."""

    scorer: DecodeScorer
    prompts: Sequence[str]
    between: str

    def __post_init__(self):
        codes = self._encoded(self.prompts)
        steps = [(1 if self.scorer.init == "all" else k) + k * (self.scorer.iterate != "none") for k in self._masks()]
        self.sizes = [sum(len(ids) * n for ids, n in zip(code.ids, steps, strict=False)) for code in codes]
        self.faults = [code.fault for code in codes]

    def score(self, which: Sequence[int]) -> list[Answer]:
        """Answers with the texts that are filled in and their summed log-probabilities."""
        codes = self._encoded([self.prompts[i] for i in which])
        sequences = [ids for code in codes for ids in code.ids]
        if not sequences:
            return [Answer(fault=code.fault) for code in codes]
        blanks = self.scorer.fill(sequences)
        texts = [
            spell(self.scorer.tokenizer, tokens[real].tolist(), self.between)
            for tokens, real in zip(blanks.tokens, blanks.real, strict=True)
        ]
        confidence = np.where(blanks.real, blanks.logprob, 0).sum(axis=1, dtype=np.float32)
        answers, start = [], 0
        for code in codes:
            rows = slice(start, start + len(code.ids))
            start = rows.stop
            fault = code.fault or (None if blanks.finite[rows].all() else not_finite(self.scorer.model))
            answers.append(Answer(fault) if fault else Answer(texts=tuple(texts[rows]), confidence=confidence[rows]))
        return answers

    def _masks(self) -> range:
        return range(1, self.scorer.masks + 1)

    def _encoded(self, prompts: Sequence[str]) -> list[Encoded]:
        scorer = self.scorer
        limit = token_limit(scorer.model, scorer.tokenizer)
        return encode(scorer.tokenizer, prompts, scorer.masks, limit, self.between)


def spell(tokenizer, tokens: Sequence[int], between: str = " ") -> str:
    """The text of token ids, as X-FACTR spells both what is filled in and what is right.

    Their spelling joins words by spaces whatever the script; with `between` empty (a script without spaces, see
    :func:`probe.scoring.encode.glue`) all spaces are left out. Spaces are not always a label's own ("Saint - Denis"
    of word pieces), see :mod:`probe.matching`. An id beyond the tokenizer's is its unknown token.
    """
    pieces = [piece or tokenizer.unk_token for piece in tokenizer.convert_ids_to_tokens(tokens)]
    text = tokenizer.convert_tokens_to_string(pieces).strip()
    return text if between else "".join(text.split())
