"""A map and a tree of languages from their distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist, squareform


class Placed(NamedTuple):
    """Points [n, dims] whose distances come near those given.

    share : of the sum of the eigenvalues' sizes, what the axes taken hold; less than 1 also where the distances are
    not Euclidean. stress : Kruskal's stress-1 (1964), the root of the squared errors over the squared distances.
    """

    points: np.ndarray
    share: float
    stress: float


def place(distances: np.ndarray, dims: int = 2) -> Placed:
    """Classical scaling (Torgerson 1952; Gower 1966) of symmetric distances [n, n].

    Axes come by falling variance, each with its largest coordinate positive; those that n points do not have are 0.
    """
    n = len(distances)
    centering = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(centering @ distances**2 @ centering / -2)
    values, vectors = values[::-1], vectors[:, ::-1]
    held = np.maximum(values[:dims], 0)
    points = np.zeros((n, dims))
    points[:, : len(held)] = vectors[:, :dims] * np.sqrt(held)
    points *= np.where(points[np.abs(points).argmax(axis=0), np.arange(dims)] < 0, -1, 1)
    wanted, sizes = squareform(distances, checks=False), np.abs(values).sum()
    off = ((pdist(points) - wanted) ** 2).sum()
    share = min(1.0, float(held.sum() / sizes)) if sizes else 1.0
    return Placed(points, share, float(np.sqrt(off / (wanted**2).sum())) if off else 0.0)


class Tree(NamedTuple):
    """merges : [n − 1, 4] as scipy's linkage has them; order : of the n, leaves from left to right."""

    merges: np.ndarray
    order: list[int]


def tree(distances: np.ndarray) -> Tree:
    """Average linkage (UPGMA; Sokal & Michener 1958) of symmetric distances [n, n], neighbours beside each other."""
    merges = linkage(squareform(distances, checks=False), "average", optimal_ordering=True)
    return Tree(merges, leaves_list(merges).tolist())
