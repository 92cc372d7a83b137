"""Single log-probabilities out of a masked LM: all that is wanted is gathered, and each distinct input is run once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from probe.scoring.head import cut, ignores_padding
from probe.scoring.runs import RUN_TOKENS, halved, padded, runs
from probe.scoring.scorer import BATCH_TOKENS
from probe.scoring.vocabulary import linear_blocks, target_blocks, target_logits

#: Logits held at a time of a model that must be run whole: 256 MB of float32.
WHOLE_CELLS = 1 << 26


class Lookups:
    """Tokens wanted at places of inputs, each on behalf of a cell of a table [n, width], where they are summed."""

    def __init__(self, shape: tuple[int, int]):
        self.shape = shape
        self._numbers: dict[tuple[int, ...], int] = {}
        self._rows: list[tuple[int, int, int, int]] = []

    def add(self, cell: tuple[int, int], ids: Sequence[int], place: int, token: int) -> None:
        """Want log p(`token` at `place` | `ids`) in `cell`; `ids` are the input just as the model shall see it."""
        source = self._numbers.setdefault(tuple(ids), len(self._numbers))
        self._rows.append((cell[0] * self.shape[1] + cell[1], source, place, token))

    @property
    def inputs(self) -> list[tuple[int, ...]]:
        """The distinct inputs."""
        return list(self._numbers)

    @property
    def columns(self) -> np.ndarray:
        """int64 [4, e]: the flat cell, the input's number, the place and the token of each, as they were added."""
        return np.array(self._rows, dtype=np.int64).reshape(-1, 4).T

    def table(self, logprob: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """float32 [n, width], each cell's sum of log-probabilities, NaN where it has none; and int32, their number."""
        cells, size = self.columns[0], self.shape[0] * self.shape[1]
        counts = np.bincount(cells, minlength=size)
        sums = np.where(counts > 0, np.bincount(cells, weights=logprob, minlength=size), np.nan)
        return sums.astype(np.float32).reshape(self.shape), counts.astype(np.int32).reshape(self.shape)


class Reader:
    """Reads log-probabilities off a transformers model with a masked-LM head, in eval mode."""

    def __init__(self, model, tokenizer):
        self.model, self.pad = model, tokenizer.pad_token_id or 0
        with torch.inference_mode():
            self.halves = cut(model, tokenizer.mask_token_id)
            harmless = ignores_padding(model, tokenizer.mask_token_id, self.pad)
        self.joined = RUN_TOKENS if harmless else 0
        # halved when memory runs out
        self.run_tokens = BATCH_TOKENS if self.halves else max(1, WHOLE_CELLS // model.config.vocab_size)

    @torch.inference_mode()
    def logprob(self, wanted: Lookups) -> np.ndarray:
        """float32 [e], as they were added; not finite where the model's logits are not."""
        inputs, (_, source, place, token) = wanted.inputs, wanted.columns
        found = np.empty(len(token), dtype=np.float32)
        order = np.argsort(source, kind="stable")
        first = np.searchsorted(source[order], np.arange(len(inputs) + 1))

        def read(run: Sequence[int]) -> None:
            which = [order[first[i] : first[i + 1]] for i in run]
            row, which = np.repeat(np.arange(len(run)), [len(w) for w in which]), np.concatenate(which)
            found[which] = self._read([inputs[i] for i in run], row, place[which], token[which]).cpu().numpy()

        for run in runs([len(ids) for ids in inputs], self.run_tokens, self.joined):
            halved(read, run, self._smaller)
        return found

    def _read(self, sequences: Sequence, row: np.ndarray, place: np.ndarray, token: np.ndarray) -> Tensor:
        """Log-probabilities of tokens at places of rows; only the places that are asked for meet the vocabulary."""
        ids, attention = padded(sequences, self.pad, self.model.device)
        spots, at = np.unique(row * ids.shape[1] + place, return_inverse=True)
        spots, at, token = (torch.from_numpy(part).to(ids.device) for part in (spots, at, token))
        if self.halves is None:
            logits = self.model(input_ids=ids, attention_mask=attention).logits
            return target_logits(logits.flatten(0, 1)[spots], at, token)
        states = self.halves.transform(self.halves.encode(ids, attention).flatten(0, 1)[spots])
        logits = linear_blocks(states, self.halves.weight, self.halves.bias)
        return target_blocks(logits, len(states), len(self.halves.weight), at, token)

    def _smaller(self) -> None:
        self.run_tokens = max(1, self.run_tokens // 2)
