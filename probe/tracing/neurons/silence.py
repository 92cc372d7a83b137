"""Is a fact said by the neurons that another language has for it? They are silenced, and its probability is watched.

Overlap says that two languages have a fact in the same neurons; that those neurons carry it, only an intervention can
say. Dai et al. (ACL 2022) suppress knowledge neurons at the answer's place; here those that were found in language A
are silenced while the fact is asked in B.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_builders.errors import FactrootsError
from probe.tracing.neurons.asked import Asked
from probe.tracing.neurons.hooks import watching
from probe.tracing.neurons.importance import activations
from probe.tracing.neurons.reading import Batch, Reader


class Trial(NamedTuple):
    """A fact that is asked (by number) while the neurons `silent` are silenced at its answer's places."""

    number: int
    silent: np.ndarray


@torch.inference_mode()
def logprobs(
    reader: Reader, asked: Sequence[Asked], trials: Sequence[Trial], values: np.ndarray | None = None
) -> np.ndarray:
    """log p of the answer, mean per token, float32 [trials]; every trial has neurons of its own in a shared pass.

    A silenced neuron has what `values` [neurons] gives it, or zero. Raises FactrootsError, naming the fact, where
    what comes out is no number.
    """
    found = np.empty(len(trials), np.float32)
    level = torch.zeros(reader.neurons.total) if values is None else torch.from_numpy(values)
    level = level.to(reader.model.device, reader.model.dtype)

    def run(batch: Batch, which: Sequence[int]) -> None:
        silent = np.zeros((len(which), reader.neurons.total), dtype=bool)
        for row, i in enumerate(which):
            silent[row, trials[i].silent] = True
        with watching(reader.neurons, _silencer(reader, batch, torch.from_numpy(silent).to(level.device), level)):
            states = reader.states(batch)
        found[which] = batch.means(reader.logprob(states, batch.targets)).cpu().numpy()

    reader.each([asked[trial.number] for trial in trials], run)
    for trial, value in zip(trials, found, strict=True):
        if not np.isfinite(value):
            raise FactrootsError(
                f"the log-probability of fact {asked[trial.number].fact} is no finite number with "
                f"{len(trial.silent)} neurons silenced; load the model with --dtype float32, or leave the fact out"
            )
    return found


def _silencer(reader: Reader, batch: Batch, silent: Tensor, level: Tensor):
    """A look that puts `level` [neurons] where a row's neurons are `silent` [n, neurons], at its answer's places."""
    silent, level = silent.split(reader.neurons.widths, dim=1), level.split(reader.neurons.widths)
    quiet = [not own.any() for own in silent]

    def look(layer: int, values: Tensor) -> Tensor | None:
        if quiet[layer]:
            return None
        values, at = values.clone(), (batch.row, batch.column)
        values[at] = torch.where(silent[layer][batch.row], level[layer], values[at])
        return values

    return look


def mean_activations(reader: Reader, asked: Sequence[Asked]) -> np.ndarray:
    """The mean activation of every neuron over facts, float32 [neurons]."""
    total = np.zeros(reader.neurons.total)

    def add(batch: Batch, _: Sequence[int]) -> None:
        total[:] += activations(reader, batch).double().sum(dim=0).cpu().numpy()

    reader.each(asked, add)
    return (total / len(asked)).astype(np.float32)


def seeded(*names) -> np.random.Generator:
    """Draws that depend on these names alone, and on no order of work."""
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def random_like(chosen: np.ndarray, widths: Sequence[int], draws: int, generator) -> Iterator[np.ndarray]:
    """`draws` sets of neurons, each with as many of each layer as `chosen` has, none of them of `chosen`.

    Raises FactrootsError where a layer has not so many others.
    """
    starts = np.concatenate([[0], np.cumsum(widths)])
    layer = np.searchsorted(starts, chosen, side="right") - 1
    others = []
    for number, count in enumerate(np.bincount(layer, minlength=len(widths))):
        rest = np.setdiff1d(np.arange(widths[number]), chosen[layer == number] - starts[number])
        if len(rest) < count:
            raise FactrootsError(
                f"layer {number} has {widths[number]} neurons, and {count} of them are a fact's: too few others to "
                "draw as many at random; choose a smaller k"
            )
        others.append((rest + starts[number], count))
    for _ in range(draws):
        yield np.concatenate([generator.choice(rest, count, replace=False) for rest, count in others])
