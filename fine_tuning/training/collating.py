"""Rows of token ids as a batch: padded, and with masks where the model is a masked one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fine_tuning.training.loss import IGNORED


def padded(rows: Sequence[Sequence[int]], labels: Sequence[Sequence[int]], padding: int | None) -> dict[str, Tensor]:
    """``input_ids``, ``attention_mask`` and ``labels`` [n, longest]; what is filled up is neither read nor asked."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), padding or 0)
    attention, asked = torch.zeros_like(ids), torch.full_like(ids, IGNORED)
    for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
        ids[i, : len(row)], asked[i, : len(row)] = torch.as_tensor(row), torch.as_tensor(label)
        attention[i, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": attention, "labels": asked}


class Causal:
    """Every token is asked but the first of a row, before which there is nothing. Rows have ``ids``."""

    def __init__(self, tokenizer):
        self.padding = tokenizer.pad_token_id

    def __call__(self, rows: Sequence[dict]) -> dict[str, Tensor]:
        return padded([row["ids"] for row in rows], [row["ids"] for row in rows], self.padding)


class Masked:
    """A share of each row's tokens is asked, of which 80 % are masked, 10 % replaced by any token of the vocabulary and
    10 % left as they are (BERT, Devlin et al. 2019, §3.1, as transformers' DataCollatorForLanguageModeling does it).

    Special tokens are never asked, and at least one token of a row is. What happens to a row hangs on `seed` and on its
    ``draw``, or, where it has none as held-out rows, on its ``number`` alone: the same each time.
    """

    def __init__(self, tokenizer, seed: int, share: float = 0.15):
        self.tokenizer, self.seed, self.share = tokenizer, seed, share
        self.special = np.array(sorted(tokenizer.all_special_ids))

    def __call__(self, rows: Sequence[dict]) -> dict[str, Tensor]:
        ids, labels = zip(*map(self._hidden, rows), strict=True)
        return padded(ids, labels, self.tokenizer.pad_token_id)

    def _hidden(self, row: dict) -> tuple[np.ndarray, np.ndarray]:
        ids = np.array(row["ids"])
        turn = [1, row["draw"]] if "draw" in row else [0, row["number"]]
        random = np.random.default_rng([self.seed, *turn])
        may = np.flatnonzero(~np.isin(ids, self.special))
        asked = may[random.random(len(may)) < self.share]
        if not len(asked) and len(may):
            asked = random.choice(may, 1)
        labels = np.full(len(ids), IGNORED)
        labels[asked] = ids[asked]
        fate = random.random(len(asked))
        ids[asked[fate < 0.8]] = self.tokenizer.mask_token_id
        other = asked[fate >= 0.9]
        ids[other] = random.integers(len(self.tokenizer), size=len(other))
        return ids, labels
