"""Which parameters of a model a sparse method may change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torch import Tensor, nn

from data_builders.errors import FactrootsError, unknown
from fine_tuning.variants.names import parameters

Named = dict[str, nn.Parameter]

#: Which normalisations are frozen: every one; those that composable-sft finds, by ``LayerNorm`` in their names, which
#: XLM-R's ``lm_head.layer_norm`` has not; none.
NORMS = ("all", "published", "none")


class Scope(NamedTuple):
    """Parameters by canonical names. ``body``: the encoder's or decoder's, embeddings too, of which a mask chooses.
    ``head``: those of the vocabulary head that can learn whole, never the matrix that the embeddings (may) share.
    ``matrices``: names of the body's matrices that are no embeddings."""

    body: Named
    head: Named
    matrices: frozenset[str]

    @property
    def size(self) -> int:
        """How many entries masks choose from."""
        return numel(self.body.values())


def scope_of(model, norms: str = "none") -> Scope:
    """Split a model's parameters, without normalisations as `norms` (:data:`NORMS`) says; the model is left as it is.

    Raises FactrootsError where the model has no body of its own.
    """
    if norms not in NORMS:
        raise unknown("norms", norms, NORMS)
    named, start = parameters(model), f"{model.base_model_prefix}."
    head = model.get_output_embeddings()
    frozen = {id(head.weight)} if head is not None else set()
    frozen |= _norms(model, named, norms)
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    # The matrix that a tied head shares is the body's.
    body = {n: p for n, p in named.items() if n.startswith(start) and (id(p) not in frozen or id(p) in embeddings)}
    if not body:
        raise FactrootsError(f"a {model.config.model_type} keeps no parameters in a body of its own; no mask fits it")
    head = {n: p for n, p in named.items() if not n.startswith(start) and id(p) not in frozen}
    return Scope(body, head, frozenset(n for n, p in body.items() if p.dim() > 1 and id(p) not in embeddings))


def only(model, learning: Iterable[nn.Parameter]) -> None:
    """Freeze all parameters of `model` but these."""
    model.requires_grad_(False)
    for parameter in learning:
        parameter.requires_grad_(True)


def numel(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def _norms(model, named: Mapping[str, nn.Parameter], norms: str) -> set[int]:
    if norms == "published":
        return {id(p) for name, p in named.items() if "LayerNorm" in name}
    found = [m for m in model.modules() if type(m).__name__.endswith("Norm")] if norms == "all" else []
    return {id(p) for module in found for p in module.parameters(recurse=False)}
