"""Task vectors, τ = θ_ft − θ_pre (Ilharco et al. 2023), of variants and of whole models, in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from data_builders.errors import FactrootsError
from fine_tuning.locating import Located
from fine_tuning.models import Loaded, load
from fine_tuning.variants.delta import Delta, Part, difference, scaled, total
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import Variant, read_variant
from fine_tuning.variants.names import embeddings_name, is_tied, parameters, tie_of, untie


class Vector(NamedTuple):
    """What is added to the base, and the head's state that it was made with (``tied``, ``untied``, ``separate``)."""

    delta: Delta
    tie: str


def vector_of(variant: Variant, base: Callable[[], Loaded]) -> Vector:
    """A variant's task vector; `base` loads the model that it was made for, where that is needed.

    Of a LoRA, its exact merged update; of (IA)³, what it changes; of a stack, the sum. Raises FactrootsError for what
    does not change weights.
    """
    if variant.about.kind == "delta":
        return Vector(read_delta(variant.folder), variant.about.tie)
    if variant.about.kind == "peft":
        from fine_tuning.methods.peft_folder import delta_of

        return Vector(delta_of(base().model, variant), variant.about.tie)
    if variant.about.kind == "stack":
        scales = variant.about.config["scales"]
        own = [vector_of(read_variant(variant.folder / str(number)), base) for number in range(len(scales))]
        deltas, tie = aligned(own, base)
        return Vector(total(scaled(delta, scale) for delta, scale in zip(deltas, scales, strict=True)), tie)
    raise FactrootsError(
        f"{variant.folder} is a {variant.about.kind} variant: it adds layers and changes no weights, so it cannot be "
        "added to others; apply it with them as base+one+two, or keep them together with `probe tune compose --stack`"
    )


def vector_between(after: Located, before: Loaded) -> Vector:
    """after − before of two checkpoints of one architecture, by canonical names, tied tensors once.

    Where one ties its head and the other does not, the tied head counts as the copy that it is; `before` is then left
    untied. Raises FactrootsError where architecture, vocabulary, names or shapes differ.
    """
    from fine_tuning.variants.base import tokenizer_sha256

    other = load(after)
    kinds = other.model.config.model_type, before.model.config.model_type
    if kinds[0] != kinds[1]:
        raise FactrootsError(
            f"{after.spec} is a {kinds[0]} and {before.spec} a {kinds[1]}; only like models are subtracted"
        )
    words = tokenizer_sha256(other.tokenizer), tokenizer_sha256(before.tokenizer)
    if words[0] != words[1]:
        raise FactrootsError(
            f"the vocabulary of {after.spec} has SHA-256 {words[0]} and that of {before.spec} {words[1]}; rows of "
            "their embeddings mean other tokens, so the models cannot be subtracted"
        )
    tie = tie_of(before.model)
    if is_tied(other.model) != is_tied(before.model):
        tie = "untied" if tie == "tied" else tie
        untie(other.model)
        untie(before.model)
    try:
        return Vector(difference(_named(other.model, before.model), parameters(before.model)), tie)
    except FactrootsError as error:
        raise FactrootsError(f"{after.spec} - {before.spec}: {error}") from error


def _named(model, like) -> dict[str, torch.Tensor]:
    """A model's parameters by the names that `like` has for them.

    Two names of one parameter there may be two parameters here, as the bias of BERT's head once that is untied and has
    been written: then it is the head's own that is used.
    """
    own = dict(model.named_parameters(remove_duplicate=False))
    used = {id(p) for p in model.get_output_embeddings().parameters()}
    names: dict[int, list[str]] = {}
    for name, parameter in like.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    found, left = {}, set(own)
    for canonical, parameter in parameters(like).items():
        here = [name for name in names[id(parameter)] if name in own]
        left -= set(here)
        if here:
            found[canonical] = own[next((name for name in here if id(own[name]) in used), here[0])]
    return found | {name: own[name] for name in left}


def aligned(vectors: list[Vector], base: Callable[[], Loaded]) -> tuple[list[Delta], str]:
    """Deltas that may be added, and the state of the head that they have in common.

    Beside one whose head was untied, what a tied one does to the embeddings it does to the head's copy as well.
    """
    ties = {vector.tie for vector in vectors}
    if "untied" not in ties:
        return [vector.delta for vector in vectors], min(ties, default="tied")
    if "tied" not in ties:
        return [vector.delta for vector in vectors], "untied"
    model = base().model
    embeddings = embeddings_name(model)
    untie(model)
    head = next(name for name, p in parameters(model).items() if p is model.get_output_embeddings().weight)

    def both(vector: Vector) -> dict[str, Part]:
        if vector.tie == "tied" and embeddings in vector.delta:
            return {**vector.delta, head: vector.delta[embeddings]}
        return vector.delta

    return [both(vector) for vector in vectors], "untied"
