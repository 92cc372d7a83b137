"""How several task vectors become one: their sum, or one of peft's merge functions, tensor by tensor and seeded."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from fine_tuning.variants.delta import Delta, Part, Sparse, scaled, total

#: The share of entries that each vector keeps, by the papers: TIES keeps the 20 % of greatest magnitude (Yadav et al.
#: 2023), DARE drops 90 % at random and multiplies the others by ten (Yu et al. 2024), with which it prunes by magnitude
#: for comparison. ``sum`` and ``mean`` keep all. Each density is of a tensor, not of the model.
DENSITIES = {"sum": 1.0, "mean": 1.0, "ties": 0.2, "dare": 0.1, "dare-ties": 0.1, "magnitude": 0.1}
#: Their names in peft.utils.merge_utils.
PEFT = {"ties": "ties", "dare": "dare_linear", "dare-ties": "dare_ties", "magnitude": "magnitude_prune"}
SIGNS = ("total", "frequency")


@dataclass(frozen=True)
class Merge:
    """``sum``, ``mean``, ``ties(density=0.2)``, ``dare``, ``dare-ties``, ``magnitude``; ``str`` parses back.

    density : the share of a tensor's entries that each vector keeps, None for the published one.
    sign : how TIES elects a sign: by the sum of the entries (total), or by their number (frequency).
    seed : of the entries that DARE keeps.
    """

    name: str = "sum"
    density: float | None = None
    sign: str = "total"
    seed: int = 0

    def __post_init__(self):
        if self.name not in DENSITIES:
            raise unknown("way to merge", self.name, DENSITIES)
        if self.density is not None and self.name not in PEFT:
            raise FactrootsError(f"{self.name} keeps all entries; leave density out")
        if not 0 < self.kept <= 1:
            raise FactrootsError(f"{self.name}: density must be above 0 and at most 1, got {self.density}")
        if self.sign not in SIGNS:
            raise unknown("way to elect a sign", self.sign, SIGNS)

    @classmethod
    def parse(cls, text: str) -> Merge:
        """Read a text. Raises FactrootsError for what it does not know."""
        spec = Spec.parse(text)
        made, known = cls(spec.name), [field.name for field in fields(cls)[1:]]
        for key, values in spec.args:
            if key not in known:
                raise unknown(f"parameter of {spec.name}", key, known)
            try:
                (value,) = values
                made = replace(made, **{key: {"density": float, "sign": str, "seed": int}[key](value)})
            except ValueError as error:
                raise FactrootsError(f"{spec.name}: {key} takes one value, a number or a word, not {values}") from error
        return made

    def __str__(self) -> str:
        given = ((field.name, getattr(self, field.name), field.default) for field in fields(self)[1:])
        return str(Spec(self.name, None, tuple((key, (str(value),)) for key, value, plain in given if value != plain)))

    @property
    def kept(self) -> float:
        """The density that is used."""
        return DENSITIES[self.name] if self.density is None else self.density


def merge(deltas: Sequence[Delta], weights: Sequence[float], how: Merge) -> Delta:
    """Σ weight · delta, or what takes its place under `how`; sparse parts stay sparse where all are.

    As in peft, TIES elects signs before it weighs, and averages over the vectors that agree. A vector that leaves a
    tensor as it is counts as zeros there. Equal input gives equal bytes, whatever was drawn before.
    """
    if how.name in ("sum", "mean"):
        share = 1 / len(deltas) if how.name == "mean" and deltas else 1.0
        return total(d if w * share == 1 else scaled(d, w * share) for d, w in zip(deltas, weights, strict=True))
    names = sorted({name for delta in deltas for name in delta})
    made: Delta = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(how.seed)
        for name in names:
            parts = [delta[name] for delta in deltas if name in delta]
            whole = _merged(name, [delta.get(name) for delta in deltas], weights, how)
            if (part := _smallest(whole, all(isinstance(p, Sparse) for p in parts))) is not None:
                made[name] = part
    return made


def _merged(name: str, parts: list[Part | None], weights: Sequence[float], how: Merge) -> torch.Tensor:
    from peft.utils import merge_utils

    shapes = {tuple(part.shape) for part in parts if part is not None}
    if len(shapes) > 1:
        raise FactrootsError(f"{name} has shapes {' and '.join(map(str, sorted(shapes)))}; they cannot be merged")
    zeros = torch.zeros(shapes.pop())
    tensors = [zeros if p is None else p.dense() if isinstance(p, Sparse) else p for p in parts]
    kwargs = {"majority_sign_method": how.sign} if how.name.endswith("ties") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a density of 1 prunes nothing
        return getattr(merge_utils, PEFT[how.name])(tensors, torch.tensor(list(weights)), how.kept, **kwargs)


def _smallest(whole: torch.Tensor, sparse: bool) -> Part | None:
    """A part in the form that takes less room on the disk, sparse if it must be; None where nothing is left."""
    at = whole.flatten().nonzero()[:, 0]
    if not len(at):
        return None
    if sparse or 2 * len(at) < whole.numel():  # an index takes as much as a value
        return Sparse(at, whole.flatten()[at], tuple(whole.shape))
    return whole
