"""The slowest way to score a masked LM: one candidate and one number of masks at a time, all logits, plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import torch

from probe.store import Store

Speak = Callable[[str, str], str]  # (relation, subject) -> a prompt that still holds [Y]


class Slow:
    """Log-probabilities read off `model(whole input).logits`; nothing is shared with the prober's own code."""

    def __init__(self, model, tokenizer, limit: int):
        self.model, self.tokenizer, self.limit = model, tokenizer, limit
        self.ids_of, self.positions = cache(self._ids_of), cache(self._positions)

    def tokens(self, label: str) -> list[int]:
        return self.tokenizer(label, add_special_tokens=False)["input_ids"]

    def _ids_of(self, prompt: str, masks: int) -> list[int]:
        return self.tokenizer(prompt.replace("[Y]", " ".join([self.tokenizer.mask_token] * masks)))["input_ids"]

    def askable(self, prompt: str, most: int) -> bool:
        """Whether each number of masks 1..`most` gives just so many masks and fits into the model."""
        every = [self.ids_of(prompt, masks) for masks in range(1, most + 1)]
        counts = [ids.count(self.tokenizer.mask_token_id) for ids in every]
        return counts == list(range(1, most + 1)) and max(map(len, every)) <= self.limit

    @torch.no_grad()
    def _positions(self, prompt: str, masks: int) -> torch.Tensor:
        """The log-softmax over the vocabulary at each of the masks."""
        ids = self.ids_of(prompt, masks)
        logits = self.model(input_ids=torch.tensor([ids])).logits[0].double()
        return torch.log_softmax(logits, -1)[[i for i, t in enumerate(ids) if t == self.tokenizer.mask_token_id]]

    def score(self, prompt: str, label: str) -> float:
        """The sum over a candidate's tokens; NaN for a label without tokens."""
        tokens = self.tokens(label)
        rows = self.positions(prompt, len(tokens)) if tokens else []
        return sum((float(row[t]) for row, t in zip(rows, tokens, strict=True)), 0.0) if tokens else math.nan


def candidates_of(store: Store, lang: str) -> dict[str, list[dict]]:
    """The candidates of each relation of a run, in the order that places count."""
    found: dict[str, list[dict]] = {}
    for row in pq.read_table(store.candidates(lang)).to_pylist():
        found.setdefault(row["relation"], []).append(row)
    return found


def compare(store: Store, lang: str, slow: Slow, speak: Speak, atol: float = 1e-5) -> tuple[int, int]:
    """Assert that every stored row is what the slow way gives; returns how many questions were asked, how many not."""
    candidates, asked, unasked = candidates_of(store, lang), 0, 0
    for row in pq.read_table(store.items(lang)).to_pylist():
        if not row["facts"]:  # a prior: the sentence without its subject
            assert row["prompt"] == row["bare"] == " ".join(speak(row["relation"], "").split())
            continue
        choice = candidates[row["relation"]]
        assert [c["tokens"] for c in choice] == [slow.tokens(c["label"]) for c in choice]
        most = max(1, *(len(c["tokens"]) for c in choice))
        prompt = speak(row["relation"], row["subject"])
        assert row["prompt"] == prompt
        assert (row["fault"] is None) == slow.askable(prompt, most), (row["fault"], prompt)
        if row["fault"] is not None:
            assert row["logprob"] is None and row["argmax"] is None
            unasked += 1
            continue
        asked += 1
        expected = np.array([slow.score(prompt, c["label"]) for c in choice])
        np.testing.assert_allclose(row["logprob"], expected, rtol=2e-6, atol=atol, err_msg=prompt)
        same_order(np.array(row["logprob"]), expected, [c["tokens"] for c in choice])
        best = iter(row["argmax"])
        for masks in range(1, most + 1):
            for position in slow.positions(prompt, masks):
                assert float(position[next(best)]) >= float(position.max()) - atol
        assert next(best, None) is None
    return asked, unasked


def same_order(ours: np.ndarray, expected: np.ndarray, tokens: list[list[int]]) -> None:
    """Candidates stand in the same order but for differences within rounding; those of one spelling tie exactly."""
    lengths = np.maximum([len(t) for t in tokens], 1)
    for scale in (1, lengths):  # summed, and per token
        gaps = (expected / scale)[:, None] - (expected / scale)
        clear = np.abs(gaps) > 1e-4
        np.testing.assert_array_equal(np.sign((ours / scale)[:, None] - (ours / scale))[clear], np.sign(gaps)[clear])
    by_spelling: dict[tuple[int, ...], set[float]] = {}
    for value, one in zip(ours.tolist(), tokens, strict=True):
        by_spelling.setdefault(tuple(one), set()).add(value)
    assert all(len(values) == 1 for one, values in by_spelling.items() if one)
