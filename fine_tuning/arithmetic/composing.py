"""One new variant out of several: added up, merged, or kept together."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from data_builders.errors import FactrootsError
from data_builders.spec import Spec
from fine_tuning.arithmetic.merging import Merge, merge
from fine_tuning.arithmetic.resolving import Terms
from fine_tuning.variants.about import Parent
from fine_tuning.variants.applying import Undo, apply_all
from fine_tuning.variants.delta import Delta, Sparse, count
from fine_tuning.variants.delta_file import write_delta
from fine_tuning.variants.folder import Variant, check_one_base, read_variant, write_variant
from fine_tuning.variants.making import packages


def combined(terms: Terms, how: Merge = Merge()) -> Delta:  # noqa: B008 - a frozen value
    """The task vector that the terms come to."""
    return merge(terms.deltas, terms.weights, how)


def write_combined(
    output: Path, terms: Terms, delta: Delta, method: str, scale: float = 1.0, data: dict[str, Any] | None = None
) -> Variant:
    """Write `delta`, which came of `terms`, as a variant; `scale` is what it has been multiplied with since."""
    return write_variant(
        output,
        partial(write_delta, delta=delta),
        kind="delta",
        method=method,
        base=terms.base,
        tie=terms.tie,
        parents=[parent.model_copy(update={"scale": parent.scale * scale}) for parent in terms.parents],
        lang=terms.lang,
        data=data or {},
        trained=0,
        stored=count(delta),
        packages=packages(),
    )


def method_text(expression: str, how: Merge) -> str:
    """``arithmetic(of=…,merge=ties,density=0.2)``: how a combined variant came about, in the text that methods have."""
    args = (("of", (expression,)), ("merge", (how.name,)), *Spec.parse(str(how)).args)
    return str(Spec("arithmetic", None, args))


def stacked(parts: Sequence[tuple[str, float]]) -> list[tuple[Variant, float]]:
    """The variants of a stack, read. Raises FactrootsError where two were made for different models."""
    found = [(read_variant(Path(folder)), scale) for folder, scale in parts]
    check_one_base([variant for variant, _ in found])
    return found


def write_stack(output: Path, parts: Sequence[tuple[Variant, float]]) -> Variant:
    """Copies of variants of any kinds in one, which applies them in this order."""

    def write(folder: Path) -> None:
        for number, (variant, _) in enumerate(parts):
            shutil.copytree(variant.folder, folder / str(number), ignore=shutil.ignore_patterns("training.json"))

    first = parts[0][0].about
    ties = [variant.about.tie for variant, _ in parts]
    langs = {variant.about.lang for variant, _ in parts}
    return write_variant(
        output,
        write,
        kind="stack",
        method="stack",
        config={"scales": [scale for _, scale in parts]},
        base=first.base,
        tie="untied" if "untied" in ties else first.tie,
        parents=[Parent(name=str(v.folder), sha256=v.about.sha256, scale=scale) for v, scale in parts],
        lang=langs.pop() if len(langs) == 1 else None,
        trained=0,
        stored=sum(variant.about.stored for variant, _ in parts),
        packages=packages(),
    )


def apply_stack(model, variant: Variant, scale: float = 1.0) -> Undo:
    """Apply a stack's variants in order. Raises FactrootsError for a scale: there is no one thing to multiply."""
    if scale != 1:
        raise FactrootsError(
            f"{variant.folder} is a stack, whose variants have scales of their own; leave the scale out"
        )
    parts = enumerate(variant.about.config["scales"])
    return apply_all(model, ((read_variant(variant.folder / str(number)), own) for number, own in parts))


def disk(delta: Delta) -> int:
    """Bytes that a delta's numbers take in its file; names come on top."""
    return sum(
        len(part.values) * (12 if part.numel >= 2**31 else 8) if isinstance(part, Sparse) else 4 * part.numel()
        for part in delta.values()
    )
