"""What a distance is where there is none: two samples of one language, and what they would be were tokens independent.

A distance between two estimates is never zero, and falls with the number of tokens only as 1/√n. Tokens of one
sequence are alike, so that they tell less than as many independent ones would.
"""

from __future__ import annotations

import numpy as np

from data_builders.errors import FactrootsError
from probe.geometry.moments import Moments
from probe.geometry.subspace import Subspace


def drawn(subspace: Subspace, generator: np.random.Generator) -> Subspace:
    """As :class:`Subspace` has it, of as many independent normal tokens with this mean and these variances.

    No token is made: the scatter is a Wishart matrix by Bartlett's decomposition (1933), in d² / 2 random numbers.
    Raises FactrootsError for no more tokens than dimensions.
    """
    n, d = subspace.n, len(subspace.mean)
    if n <= d:
        raise FactrootsError(f"{n:,} tokens of {d} dimensions have no floor to be drawn; fit more text")
    root = subspace.vectors * np.sqrt(np.maximum(subspace.values, 0))
    lower = np.tril(generator.standard_normal((d, d)), -1)
    lower[np.diag_indices(d)] = np.sqrt(generator.chisquare(n - 1 - np.arange(d)))
    factor = root @ lower
    mean = subspace.mean + root @ generator.standard_normal(d) / np.sqrt(n)
    return Subspace.of(Moments(n, mean, factor @ factor.T))
