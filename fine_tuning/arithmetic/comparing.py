"""Two task vectors of one base beside each other: how long, in which direction, and where they overlap."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, NamedTuple

import torch

from data_builders.errors import FactrootsError
from fine_tuning.variants.about import About
from fine_tuning.variants.delta import Delta, Part, Sparse

#: What a layer's number stands after, in the names of transformers' architectures.
_LAYER = re.compile(r"\.(?:layers?|h|block|blocks|layer_groups)\.(\d+)\.")
_EMBEDDINGS = re.compile(r"embed|\.wte\.|\.wpe\.")
#: What is left out of a comparison of settings: the two differ by nature, or are shown elsewhere.
_OTHER = ("files", "schema_version", "base")


class Overlap(NamedTuple):
    """Two vectors over a group of tensors.

    entries : of the tensors that either changes, on which all is counted. changed : entries that are not zero, of each.
    norms : Euclidean. cosine : None where either is zero throughout. jaccard : |both| / |either| of the changed
    entries; chance : the same for as many entries drawn at random, E|both| = |a| |b| / entries; agreement : the share
    of the entries that both change which have one sign; None where there are none.
    """

    entries: int
    changed: tuple[int, int]
    norms: tuple[float, float]
    cosine: float | None
    jaccard: float | None
    chance: float | None
    agreement: float | None


def group_of(name: str) -> str:
    """``layer 3``, ``embeddings``, or the first part of a parameter's name, as ``cls`` or ``lm_head``."""
    if found := _LAYER.search(name):
        return f"layer {found[1]}"
    return "embeddings" if _EMBEDDINGS.search(name) else name.partition(".")[0]


def compare(one: Delta, other: Delta) -> dict[str, Overlap]:
    """Overlaps by group of parameters, and of ``all``. Raises FactrootsError where shapes differ."""
    sums: dict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(8, dtype=torch.float64))
    for name in [*one, *(name for name in other if name not in one)]:
        found = _sums(name, one.get(name), other.get(name))
        for group in (group_of(name), "all"):
            sums[group] += found
    order = sorted(sums, key=lambda g: (g == "all", g != "embeddings", not g.startswith("layer"), _number(g), g))
    return {group: _overlap(*sums[group].tolist()) for group in order}


def _number(group: str) -> int:
    return int(group.split()[1]) if group.startswith("layer ") else 0


def _sums(name: str, one: Part | None, other: Part | None) -> torch.Tensor:
    """Entries, changed of each, squares of each, product, changed by both, of one sign; of a tensor."""
    shapes = {tuple(part.shape) for part in (one, other) if part is not None}
    if len(shapes) > 1:
        raise FactrootsError(f"{name} has shapes {' and '.join(map(str, sorted(shapes)))}; they cannot be compared")
    a, b = _flat(one, other), _flat(other, one)
    both = (a != 0) & (b != 0)
    same = both & (a.sign() == b.sign())
    a64, b64 = a.double(), b.double()
    products = torch.stack([a64 @ a64, b64 @ b64, a64 @ b64])
    counts = [torch.Size(next(iter(shapes))).numel(), a.count_nonzero(), b.count_nonzero()]
    return torch.cat([torch.tensor(counts), products, torch.tensor([both.sum(), same.sum()])]).double()


def _flat(part: Part | None, other: Part | None) -> torch.Tensor:
    """A part's entries, of two sparse ones only those that either has."""
    if part is None:
        whole = _flat(other, None)
        return torch.zeros_like(whole)
    if not isinstance(part, Sparse):
        return part.flatten()
    if isinstance(other, Sparse):
        at = torch.cat([part.indices, other.indices]).unique()
        return torch.zeros(len(at)).index_put_((torch.searchsorted(at, part.indices),), part.values)
    return part.values if other is None else part.dense().flatten()


def _overlap(entries, changed_a, changed_b, square_a, square_b, product, both, same) -> Overlap:
    norms = square_a**0.5, square_b**0.5
    either = changed_a + changed_b - both
    expected = changed_a * changed_b / entries if entries else 0.0
    return Overlap(
        int(entries),
        (int(changed_a), int(changed_b)),
        norms,
        max(-1.0, min(1.0, product / (norms[0] * norms[1]))) if all(norms) else None,
        both / either if either else None,
        expected / (changed_a + changed_b - expected) if either else None,
        same / both if both else None,
    )


def settings(one: About, other: About) -> dict[str, tuple[Any, Any]]:
    """The fields of two records that differ, nested ones by their path; configs only where the kind is one."""
    left_out = {*_OTHER, *(("config",) if one.kind != other.kind else ())}
    a, b = (flat(about.model_dump(mode="json", exclude=left_out)) for about in (one, other))
    return {key: (a.get(key), b.get(key)) for key in [*a, *(k for k in b if k not in a)] if a.get(key) != b.get(key)}


def flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested values by their path, as ``base.sha256``."""
    found = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{before}{key}.")
        else:
            found[before + key] = value
    return found
