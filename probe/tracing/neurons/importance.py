"""What each neuron matters for each fact: one value a neuron, by one of several methods.

``probeless`` : Antverg & Belinkov (ICLR 2022), as Zhao et al. (EACL 2024) use it with facts for classes: how far a
    fact's mean activation is from those of the other facts of its relation,
    r_q(n) = 1/(K-1) * sum over q' != q of |mu_q(n) - mu_q'(n)|.
``activation_x_gradient`` : Shrikumar et al. (2016): a(n) * d f / d a(n), summed over the answer's places, with
    f = sum_i log p(answer's token i); all layers from one forward and one backward pass.
``integrated_gradients`` : Sundararajan et al. (ICML 2017) as Dai et al. (ACL 2022) find knowledge neurons by it: a(n)
    times the mean gradient while the neurons of its layer, at the answer's places, grow from zero to what they are.
    A layer at a time, so that a layer's values sum to f minus f with that layer silent. They take the probability of
    one token for f and the upper end of each step; here f is as above, so that answers may have several tokens, and
    the middle, which comes nearer with fewer steps. Where a norm follows the block, as Gemma's does, only the direction
    of what it adds matters: gradients grow as 1 / share, so the order of neurons is about that of
    ``activation_x_gradient``, and the sum is only reached with steps as fine as the norm's epsilon.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from probe.tracing.neurons.hooks import watching
from probe.tracing.neurons.reading import Batch, Reader, constant

_CELLS = 1 << 22  # activations compared at a time


@torch.inference_mode()
def activations(reader: Reader, batch: Batch, _: int = 0) -> Tensor:
    """The neurons' activations averaged over the answer's places, float32 [n, neurons]."""
    found = {}

    def look(layer: int, values: Tensor) -> None:
        found[layer] = batch.means(values[batch.row, batch.column])

    with watching(reader.neurons, look):
        reader.ends.states(batch.ids, batch.attention)
    return _joined(found)


def activation_x_gradient(reader: Reader, batch: Batch, _: int = 0) -> Tensor:
    """Activation times gradient, float32 [n, neurons]."""
    read = {}

    def look(layer: int, values: Tensor) -> Tensor:
        read[layer] = values if values.requires_grad else values.detach().requires_grad_()
        return read[layer]

    with constant(reader.model), watching(reader.neurons, look):
        states = reader.states(batch)
        grads = torch.autograd.grad(states, [*read.values()], reader.gradient(states, batch.targets))
    at = batch.row, batch.column
    products = [values.detach()[at] * grad[at] for values, grad in zip(read.values(), grads, strict=True)]
    return _joined(dict(zip(read, map(batch.sums, products), strict=True)))


def integrated_gradients(reader: Reader, batch: Batch, steps: int) -> Tensor:
    """Integrated gradients from silence in `steps` steps, float32 [n, neurons]."""
    with constant(reader.model):
        return _joined({layer: _integrated(reader, batch, layer, steps) for layer in range(len(reader.neurons.layers))})


def _integrated(reader: Reader, batch: Batch, layer: int, steps: int) -> Tensor:
    at, total = (batch.row, batch.column), 0.0
    for step in range(steps):
        share, held = (step + 0.5) / steps, []
        look = partial(_scaled, layer, share, at, held)
        with watching(reader.neurons, look):
            states = reader.states(batch)
        full, scaled = held
        (grad,) = torch.autograd.grad(states, [scaled], reader.gradient(states, batch.targets))
        total = total + full * grad
    return batch.sums(total / steps)


def _scaled(wanted: int, share: float, at: tuple[Tensor, Tensor], held: list[Tensor], layer: int, values: Tensor):
    """A look that has the neurons of one layer at a share of what they are, and holds both."""
    if layer != wanted:
        return None
    full = values[at].detach()
    held += [full, (share * full).requires_grad_()]
    return values.detach().index_put(at, held[1])


def _joined(by_layer: dict[int, Tensor]) -> Tensor:
    return torch.cat([by_layer[layer] for layer in sorted(by_layer)], dim=1)


def distances(values: np.ndarray) -> np.ndarray:
    """PROBELESS: r [K, neurons], each fact's mean distance to all others, from activations [K, neurons], K > 1.

    With the values of a neuron in order, the distances to the smaller and to the greater ones are differences of
    running sums: K log K for each neuron instead of K². In float64.
    """
    count, by_neuron = len(values), np.ascontiguousarray(values.T)
    order = by_neuron.argsort(axis=1)
    ordered = np.take_along_axis(by_neuron, order, axis=1).astype(np.float64)
    ordered -= ordered.mean(axis=1, keepdims=True)  # far from zero running sums would lose digits
    sums, rank = ordered.cumsum(axis=1), np.arange(1, count + 1)
    found = np.empty_like(ordered)
    far = ordered * (2 * rank - count) + sums[:, -1:] - 2 * sums
    np.put_along_axis(found, order, far / (count - 1), axis=1)
    return np.ascontiguousarray(found.T)


def block(facts: int) -> int:
    """How many neurons of so many facts are compared at a time."""
    return max(1024, _CELLS // max(1, facts))  # 1024 float32 fill a page


class Method(NamedTuple):
    """A way to find what matters.

    values : of a batch's facts, float32 [n, neurons].
    contrast : from the values of all facts of a relation [K, some neurons] to what matters, or None where the values
        are that already.
    graph : whether a backward pass is made.
    """

    values: Callable[[Reader, Batch, int], Tensor]
    contrast: Callable[[np.ndarray], np.ndarray] | None = None
    graph: bool = True


METHODS = {
    "probeless": Method(activations, distances, graph=False),
    "activation_x_gradient": Method(activation_x_gradient),
    "integrated_gradients": Method(integrated_gradients),
}
