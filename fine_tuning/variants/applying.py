"""Putting variants onto a loaded model, in order, and taking them off again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module

from torch import nn

from data_builders.errors import FactrootsError, unknown
from fine_tuning.variants.delta import Delta, add_to
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import Variant
from fine_tuning.variants.names import embeddings_name, is_tied, parameters, retie, untie

Undo = Callable[[], None]

#: What applies each kind of variant: ``apply(model, variant, scale) -> Undo``. Adding one is a line.
KINDS = {
    "delta": "fine_tuning.variants.applying:apply_file",
    "bottleneck": "fine_tuning.bottleneck.applying:apply",
    "peft": "fine_tuning.methods.peft_folder:apply",
    "stack": "fine_tuning.arithmetic.composing:apply_stack",
}


def apply(model, variant: Variant, scale: float = 1.0) -> Undo:
    """Apply one variant, `scale` times, to a model in float32; what is returned takes it off, bit for bit.

    Variants are taken off in the opposite order. Raises FactrootsError where the variant does not fit the model.
    """
    if variant.about.kind not in KINDS:
        raise unknown("kind of variant", variant.about.kind, KINDS)
    module, name = KINDS[variant.about.kind].split(":")
    return getattr(import_module(module), name)(model, variant, scale)


def apply_all(model, variants: Iterable[tuple[Variant, float]]) -> Undo:
    """Apply variants in order; where one does not fit, those before it are taken off again."""
    with ExitStack() as undo:
        for variant, scale in variants:
            undo.callback(apply(model, variant, scale))
        return undo.pop_all().close


@contextmanager
def applied(model, variants: Iterable[tuple[Variant, float]]) -> Iterator[None]:
    """The model with variants applied in order, for as long as it is entered."""
    undo = apply_all(model, variants)
    try:
        yield
    finally:
        undo()


def apply_file(model, variant: Variant, scale: float) -> Undo:
    """Apply a delta that lies in a variant's folder."""
    try:
        return apply_delta(model, read_delta(variant.folder), scale, variant.about.tie)
    except FactrootsError as error:
        raise FactrootsError(f"{variant.folder}: {error}") from error


def apply_delta(model, delta: Delta, scale: float = 1.0, tie: str = "separate") -> Undo:
    """Add `scale` · `delta`, made with the head in the state `tie` (:class:`fine_tuning.variants.about.About`).

    An ``untied`` one unties the model's head. A ``tied`` one, put onto a model that an untied one has been applied to
    before, changes the head's copy too, as it did where it was made.
    """
    unties = tie == "untied" and is_tied(model)
    if unties:
        untie(model)
    own, delta = with_copy(model, parameters(model), delta, tie, embeddings_name(model))
    try:
        restore = add_to(own, delta, scale)
    except FactrootsError:
        if unties:
            retie(model)
        raise

    def undo() -> None:
        restore()
        if unties:
            retie(model)

    return undo


def with_copy(
    model, own: Mapping[str, nn.Parameter], delta: Delta, tie: str, embeddings: str
) -> tuple[Mapping[str, nn.Parameter], Delta]:
    """Parameters and a delta; where it was made ``tied`` and the head has a copy of the `embeddings` by now, this too
    with their change."""
    if tie != "tied" or is_tied(model) or embeddings not in delta:
        return own, delta
    head = model.get_output_embeddings().weight
    return {**own, "the head": head}, {**delta, "the head": delta[embeddings]}
