"""What a model makes of every candidate of a question while neurons are silenced at the answer's places.

Questions are put one at a time, since each has neurons of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_builders.facts import OBJECT
from data_builders.spec import Spec
from fine_tuning.models import Loaded
from probe import passes
from probe.scoring.encode import token_limit
from probe.scoring.filled import Filled, fill, opening
from probe.scoring.scorer import Answer, Ask, Candidates
from probe.tracing.neurons.asked import Asked, said
from probe.tracing.neurons.hooks import watching
from probe.tracing.neurons.reading import Batch, Reader


class Silent(NamedTuple):
    """An ask (by number), and the neurons that are silent while it is answered."""

    number: int
    neurons: np.ndarray


#: Asks, their candidates, and what is silent while they are answered: an answer for each, over all candidates or those
#: that the ask chooses among, as the run's own pass gives it where nothing is silent.
Answering = Callable[[Sequence[Ask], Candidates, Sequence[Silent]], Iterator[Answer]]


def can_answer(scoring: str) -> bool:
    """Whether a pass (:mod:`probe.passes`) has its answers at places of their own, all read at once."""
    return Spec.parse(scoring).name in WAYS


def answering(scoring: str, loaded: Loaded, reader: Reader) -> Answering:
    """How a pass answers that can."""
    return WAYS[Spec.parse(scoring).name](scoring, loaded, reader)


def _masks(scoring: str, loaded: Loaded, reader: Reader) -> Answering:
    """The run's own scorer, with neurons silenced at all masks of whatever it reads."""
    scorer, mask = passes.scorer(scoring, loaded.model, loaded.tokenizer), loaded.tokenizer.mask_token_id

    def answers(asks: Sequence[Ask], candidates: Candidates, trials: Sequence[Silent]) -> Iterator[Answer]:
        work = scorer.work(asks, candidates)
        for number, neurons in trials:
            with torch.inference_mode(), _silenced(reader, neurons, lambda ids: ids == mask):
                (answer,) = work.score([number])
            yield answer  # what the caller does meanwhile is not silenced

    return answers


def _sentences(_: str, loaded: Loaded, reader: Reader) -> Answering:
    """Whole sentences, each candidate's a row of its own, since what is silent in one may be read in another."""
    tokenizer, limit = loaded.tokenizer, token_limit(loaded.model, loaded.tokenizer)
    before = opening(tokenizer)

    def answers(asks: Sequence[Ask], candidates: Candidates, trials: Sequence[Silent]) -> Iterator[Answer]:
        filled = list(fill(tokenizer, before, asks, candidates, limit))
        for number, neurons in trials:
            places = _places(tokenizer, asks[number], candidates, len(before))
            yield Answer(logprob=_sums(reader, filled[number], places, neurons))

    return answers


def _places(tokenizer, ask: Ask, candidates: Candidates, before: int) -> list[list[int]]:
    """Of each sentence, the places that predict a token of the answer."""
    left, _, right = ask.prompt.partition(OBJECT)
    labels = [candidates.labels[c] for c in (range(len(candidates.labels)) if ask.choice is None else ask.choice)]
    start = len(ask.context + left)
    encodings = tokenizer([ask.context + left + label + right for label in labels], add_special_tokens=False).encodings
    pairs = zip(encodings, labels, strict=True)
    return [[i - 1 for i in said(encoding, start, start + len(label), before)] for encoding, label in pairs]


@torch.inference_mode()
def _sums(reader: Reader, filled: Filled, places: Sequence[Sequence[int]], neurons: np.ndarray) -> np.ndarray:
    """The summed log-probability of each sentence, float64 [c]; NaN where nothing of it is scored."""
    found = np.full(len(filled.ids), np.nan)
    which = [c for c, ids in enumerate(filled.ids) if filled.first[c] < len(ids)]
    rows = []
    for c in which:
        ids, first = filled.ids[c], filled.first[c]
        rows.append(Asked("", "", tuple(ids), tuple(range(first - 1, len(ids) - 1)), tuple(ids[first:])))

    def run(batch: Batch, own: Sequence[int]) -> None:
        silent = np.zeros(tuple(batch.ids.shape), bool)
        for row, i in enumerate(own):
            silent[row, places[which[i]]] = True
        at = torch.from_numpy(silent).to(batch.ids.device)
        with _silenced(reader, neurons, lambda _: at):
            states = reader.states(batch)
        found[[which[i] for i in own]] = batch.sums(reader.logprob(states, batch.targets)).double().cpu().numpy()

    reader.each(rows, run)
    return found


@contextmanager
def _silenced(reader: Reader, neurons: np.ndarray, where: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Have `neurons` say nothing at the places, bool [n, length], that `where` tells of the ids [n, length] read."""
    chosen = np.zeros(reader.neurons.total, bool)
    chosen[neurons] = True
    layers = [torch.from_numpy(own) for own in np.split(chosen, np.cumsum(reader.neurons.widths)[:-1])]
    at: list[Tensor] = []

    def read(_, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        at[:] = [where(args[0] if args else kwargs["input"])]

    def look(layer: int, values: Tensor) -> Tensor | None:
        if not layers[layer].any():
            return None
        own = layers[layer].to(values.device)
        return values.masked_fill(at[0][:, :, None] & own, 0)

    handle = reader.model.get_input_embeddings().register_forward_pre_hook(read, with_kwargs=True)
    try:
        with watching(reader.neurons, look):
            yield
    finally:
        handle.remove()


#: By the pass's name. Left-to-right and pseudo-log-likelihood passes read an answer in pieces, and others write it.
WAYS: dict[str, Callable[[str, Loaded, Reader], Answering]] = {"masks": _masks, "sentence": _sentences}
