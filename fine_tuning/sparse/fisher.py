"""On which entries a loss depends: the mean of the squares of its gradients over batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from data_builders.errors import FactrootsError
from fine_tuning.training.job import Job
from fine_tuning.training.loss import summed_loss


def mean_squares(
    job: Job, learning: Mapping[str, nn.Parameter], size: int, number: int = 0, clip: float = 0.0
) -> dict[str, Tensor]:
    """The empirical Fisher information of each entry: the mean over batches of (∂ mean loss of a batch / ∂θ)².

    `number` batches of `size` texts, 0 for as many as make one pass; dropout acts, and draws from ``job.seed``. `clip`
    limits the norm of each tensor's gradient by itself, as ChildTuning's code does (``calculate_fisher``). Raises
    FactrootsError for a loss that is no number.
    """
    model, causal = job.loaded.model, job.loaded.family == "causal"
    tensors, training = list(learning.values()), model.training
    needed = [parameter.requires_grad for parameter in tensors]
    squares = {name: torch.zeros_like(parameter, requires_grad=False) for name, parameter in learning.items()}
    number = number or -(-len(job.examples.train) // size)
    try:
        model.train()
        for parameter in tensors:
            parameter.requires_grad_(True)
        with torch.random.fork_rng():
            torch.manual_seed(job.seed)
            for batch in batches(job, size, number):
                with job.speaking(batch.pop("lang", None)):
                    loss, asked = summed_loss(model, batch, causal)
                    if not loss.isfinite():
                        raise FactrootsError(f"the loss of {job.loaded.spec} is {float(loss)} before any training")
                    gradients = torch.autograd.grad(loss / max(1, asked), tensors, allow_unused=True)
                for total, gradient in zip(squares.values(), gradients, strict=True):
                    if gradient is not None:
                        _add_square(total, gradient, clip, number)
    finally:
        model.train(training)
        for parameter, was in zip(tensors, needed, strict=True):
            parameter.requires_grad_(was)
    return squares


def batches(job: Job, size: int, number: int) -> Iterator[dict[str, Any]]:
    """`number` batches of `size` texts in the order of training; the last pass's last one may be smaller."""
    whole = -(-len(job.examples.train) // size)
    drawn = job.draws(len(job.examples.train) if number == whole else number * size, size)
    for first in range(0, len(drawn), size):
        made = job.collate([drawn[i] for i in range(first, min(first + size, len(drawn)))])
        yield {name: t.to(job.loaded.model.device) if isinstance(t, Tensor) else t for name, t in made.items()}


def _add_square(total: Tensor, gradient: Tensor, clip: float, number: int) -> None:
    """``total += (clipped gradient)² / number``; torch's ``clip_grad_norm_`` divides by the norm + 1e-6 too."""
    factor = min(1.0, clip / (float(gradient.norm()) + 1e-6)) if clip else 1.0
    total.addcmul_(gradient, gradient, value=factor * factor / number)
