"""The hard concrete distribution (Louizos et al. 2018): numbers from 0 to 1 that are exactly 0 or 1 quite often, and
whose parameter can be learned by gradients.

s = σ(log u − log(1 − u) + α) with u uniform, stretched to (LOW, HIGH) and cut to [0, 1].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: DiffPruning's.
LOW, HIGH = -1.5, 1.5


def sample(alpha: Tensor, low: float = LOW, high: float = HIGH) -> Tensor:
    """One draw for each α, with a gradient; u is kept from the ends as in DiffPruning's code."""
    u = torch.empty_like(alpha, requires_grad=False).uniform_().clamp_(1e-4, 1 - 1e-4)
    return _stretched(torch.sigmoid(u.logit_() + alpha), low, high)


def median(alpha: Tensor, low: float = LOW, high: float = HIGH) -> Tensor:
    """What u = ½ gives: the values that a trained model is used with."""
    return _stretched(torch.sigmoid(alpha), low, high)


def open_probability(alpha: Tensor, low: float = LOW, high: float = HIGH) -> Tensor:
    """P(z > 0) = σ(α − log(−low / high)), whose sum is the expected number of entries that are not zero."""
    return torch.sigmoid(alpha - math.log(-low / high))


def mean(alpha: Tensor, low: float = LOW, high: float = HIGH) -> Tensor:
    """E z, in closed form: ∫₀¹ P(z > t) dt with P(s > x) = c(1 − x) / (c(1 − x) + x) for c = exp α."""
    c = alpha.double().exp()
    a = 1 - c
    near = a.abs() < 1e-3  # both terms grow as the difference cancels; there the integrand's series in a does
    safe = torch.where(near, 0.5, a)

    def antiderivative(x: float) -> Tensor:
        far = (1 - safe) / safe * (torch.log(1 - safe + safe * x) / safe - x)
        series = (x - x**2 / 2) - a * (x**2 / 2 - x**3 / 3) - a**2 * (x**2 / 2 - 2 * x**3 / 3 + x**4 / 4)
        return torch.where(near, series, far)

    width = high - low
    return (width * (antiderivative((1 - low) / width) - antiderivative(-low / width))).to(alpha.dtype)


def _stretched(s: Tensor, low: float, high: float) -> Tensor:
    return (s * (high - low) + low).clamp(0, 1)
