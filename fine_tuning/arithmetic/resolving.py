"""What an expression means: which model is the base, and which task vectors are added to it, how many times each.

A name is a variant's folder, which stands for its task vector, or a model. Coefficients of models add up to 1, as in
``xlmr + 0.8*runs/it``, or to 0, as in ``xlmr-ft - xlmr``; either way the result is a task vector of the base, for every
model θ is the base's θ and a task vector.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError
from fine_tuning.arithmetic.expression import Expression
from fine_tuning.arithmetic.vectors import Vector, aligned, vector_between, vector_of
from fine_tuning.locating import Located, locate
from fine_tuning.models import Loaded, check_variants, load, load_tokenizer
from fine_tuning.variants.about import Base, Parent
from fine_tuning.variants.base import base_sha256
from fine_tuning.variants.delta import Delta
from fine_tuning.variants.folder import Variant, is_variant, read_variant
from fine_tuning.variants.making import base_of


class Terms(NamedTuple):
    """Task vectors of one base with their coefficients, in the expression's order; ``tie`` is what all have in common,
    ``lang`` the language that all were made on, or None."""

    base: Base
    deltas: list[Delta]
    weights: list[float]
    parents: list[Parent]
    tie: str
    lang: str | None


def resolve(expression: Expression, model: str | None = None) -> Terms:
    """Find everything that `expression` names. `model` says where the base lies, if not where the variants say.

    Raises FactrootsError, in one line, where a name is neither variant nor model, where variants were made for other
    models than the base (both hashes are shown), and where tensors do not match.
    """
    variants = {name: read_variant(Path(name)) for name, _ in expression.terms if is_variant(Path(name))}
    models = [(name, value) for name, value in expression.terms if name not in variants]
    places = {name: _located(name) for name, _ in models}
    before = _located(model or _base(expression, variants, models))

    @cache
    def base() -> Loaded:
        return load(before)

    about = _about(before, variants, base)
    vectors: list[Vector] = []
    weights, parents = [], []
    for name, value in expression.terms:
        if name in variants:
            vectors.append(vector_of(variants[name], base))
            parents.append(Parent(name=name, sha256=variants[name].about.sha256, scale=value))
        elif (sha256 := base_sha256(places[name].folder)) != about.sha256:
            vectors.append(vector_between(places[name], base()))
            parents.append(Parent(name=name, sha256=sha256, scale=value))
        else:
            continue
        weights.append(value)
    deltas, tie = aligned(vectors, base)
    langs = {variant.about.lang for variant in variants.values()}
    return Terms(about, deltas, weights, parents, tie, langs.pop() if len(langs) == 1 and not models[1:] else None)


def _located(name: str) -> Located:
    try:
        return locate(name)
    except FactrootsError as error:
        minus = "; a minus stands after a space" if "-" in name else ""
        raise FactrootsError(f"{name!r} is neither a variant's folder nor a model{minus}: {error}") from error


def _base(expression: Expression, variants: dict[str, Variant], models: list[tuple[str, float]]) -> str:
    """The base's name: the variants' own, else the first model, or the one that is subtracted."""
    total = sum(value for _, value in models)
    if models and min(abs(total), abs(total - 1)) > 1e-9:
        raise FactrootsError(
            f"the models in '{expression}' add up to {total:g} models; they must to 1, as in demo + 0.8*runs/it, or to "
            "0, as in ./tuned - demo"
        )
    if variants:
        specs = {variant.about.base.spec for variant in variants.values()}
        return (
            next((name for name, _ in models if name in specs), None) or next(iter(variants.values())).about.base.spec
        )
    if abs(total - 1) <= 1e-9:
        return models[0][0]
    subtracted = [name for name, value in models if value < 0] or [models[0][0]]
    if len(subtracted) > 1:
        raise FactrootsError(
            f"'{expression}' subtracts several models; name the one that the result is for with --model"
        )
    return subtracted[0]


def _about(before: Located, variants: dict[str, Variant], base) -> Base:
    """The base's record, once it is sure that all variants were made for it."""
    if not variants:
        return base_of(before, base())
    added = list(variants.values())
    check_variants(before._replace(variants=tuple((one, 1.0) for one in added)), load_tokenizer(str(before.spec)))
    return added[0].about.base.model_copy(update={"spec": str(before.spec), "id": before.id})
