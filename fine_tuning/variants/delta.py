"""Differences between two sets of weights: whole tensors, or some of their entries; added, scaled and put into models.

After task_vectors (Ilharco et al. 2023) and composable-sft (Ansell et al. 2022), whose φ = θ² − θ⁰ is the sparse form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from data_builders.errors import FactrootsError


class Sparse(NamedTuple):
    """Some entries of a tensor of `shape`: row-major flat `indices`, int64 [k], ascending; `values`, float32 [k]."""

    indices: Tensor
    values: Tensor
    shape: tuple[int, ...]

    def dense(self) -> Tensor:
        whole = torch.zeros(self.shape)
        whole.view(-1)[self.indices] = self.values
        return whole

    @property
    def numel(self) -> int:
        """Entries of the whole tensor."""
        return torch.Size(self.shape).numel()


Part = Tensor | Sparse
#: Parts by canonical parameter names (:mod:`fine_tuning.variants.names`), in float32; what is not named is unchanged.
Delta = dict[str, Part]


def difference(after: Mapping[str, Tensor], before: Mapping[str, Tensor]) -> Delta:
    """after − before in float32, whole, of the tensors that changed.

    Raises FactrootsError where names or shapes differ, which two checkpoints of one architecture do not.
    """
    if odd := sorted(after.keys() ^ before.keys()):
        raise FactrootsError(
            f"the models differ in {len(odd)} tensors, {odd[0]} among them; a difference needs the same"
        )
    made = {}
    for name, old in before.items():
        new = after[name]
        if new.shape != old.shape:
            raise FactrootsError(f"{name} has shape {list(new.shape)} in one model and {list(old.shape)} in the other")
        if new.is_floating_point() and not torch.equal(new, old):
            made[name] = new.detach().float() - old.detach().float()
    return made


def chosen(after: Mapping[str, Tensor], before: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Delta:
    """after − before at the entries where `masks` (bool, of the tensors' shapes) hold and something changed."""
    made = {}
    for name, mask in masks.items():
        indices = mask.flatten().nonzero()[:, 0]
        values = after[name].detach().flatten()[indices].float() - before[name].flatten()[indices].float()
        changed = values != 0
        if changed.any():
            made[name] = Sparse(indices[changed], values[changed], tuple(mask.shape))
    return made


def scaled(delta: Delta, factor: float) -> Delta:
    """Every value times `factor`; −1 negates."""
    return {
        name: part._replace(values=part.values * factor) if isinstance(part, Sparse) else part * factor
        for name, part in delta.items()
    }


def total(deltas: Iterable[Delta]) -> Delta:
    """The sum. Sparse parts stay sparse, the union of their entries; it does not depend on the order of `deltas`."""
    together: dict[str, list[Part]] = {}
    for delta in deltas:
        for name, part in delta.items():
            together.setdefault(name, []).append(part)
    return {name: _sum(name, parts) for name, parts in together.items()}


def _sum(name: str, parts: list[Part]) -> Part:
    shapes = {tuple(part.shape) for part in parts}
    if len(shapes) > 1:
        raise FactrootsError(f"{name} has shapes {' and '.join(map(str, sorted(shapes)))}; they cannot be added")
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, Sparse) for part in parts):
        indices, at = torch.cat([part.indices for part in parts]).unique(return_inverse=True)
        values = torch.cat([part.values for part in parts]).double()
        summed = torch.zeros(len(indices), dtype=torch.float64).index_add_(0, at, values)
        return Sparse(indices, summed.float(), parts[0].shape)
    whole = [part.dense() if isinstance(part, Sparse) else part for part in parts]
    return torch.stack(whole).double().sum(0).float() if len(whole) > 2 else whole[0] + whole[1]


def count(delta: Delta) -> int:
    """Entries that are not zero."""
    return sum(int((p.values if isinstance(p, Sparse) else p).count_nonzero()) for p in delta.values())


@torch.no_grad()
def add_to(targets: Mapping[str, nn.Parameter], delta: Delta, scale: float = 1.0) -> Callable[[], None]:
    """Add `scale` · `delta` to parameters in place, summing in float32; returns what puts them back bit for bit.

    Raises FactrootsError, before anything is changed, where a parameter is missing or has another shape.
    """
    for name, part in delta.items():
        if name not in targets:
            raise FactrootsError(f"the model has no parameter {name}, which the variant changes")
        if tuple(targets[name].shape) != tuple(part.shape):
            raise FactrootsError(
                f"{name} has shape {list(targets[name].shape)} in the model and {list(part.shape)} in the variant"
            )
    held = []
    for name, part in delta.items():
        flat = targets[name].data.view(-1)
        at = part.indices.to(flat.device) if isinstance(part, Sparse) else slice(None)
        values = part.values if isinstance(part, Sparse) else part.reshape(-1)
        old = flat[at].clone()
        held.append((flat, at, old))
        flat[at] = (old.float() + scale * values.to(flat.device)).to(flat.dtype)

    @torch.no_grad()
    def restore() -> None:
        for flat, at, old in reversed(held):
            flat[at] = old

    return restore
