"""The facts that a command asks of a model: the set that is named, or the model's usual one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from data_builders.factset import FactSet
from fine_tuning.packages import PACKAGED


def chosen_facts(model: str, factset: str | None, langs: Sequence[str] | None, filters: dict) -> FactSet:
    """`factset`, or what models of this name are asked by default, with the command's filters laid over its own."""
    spec = FactSet.parse(factset or ("atlas" if model in ("demo", *PACKAGED) else "mlama"))
    values = (filters | {"langs": langs}).items()
    given = {name: value for name, value in values if value is not None and value is not False}
    return replace(spec, **given)


def at_hand(model: str, spec: FactSet) -> FactSet:
    """The same, fetched if it has to be, with languages; by default all that can be asked of a model of this name."""
    from data_builders.fetch import ensure

    if spec.path is None:
        ensure(spec.source)
    return spec if spec.langs else replace(spec, langs=_all_languages(model, spec))


def pieces_of(tokenizer, labels: list[str]) -> list[int]:
    """How many tokens each label is."""
    return [len(ids) for ids in tokenizer(labels, add_special_tokens=False)["input_ids"]]


def _all_languages(model: str, spec: FactSet) -> tuple[str, ...]:
    """Those of the fact set; of the demo model, those that it has read."""
    if model == "demo" and spec.source == "atlas":
        from data_builders.planted.world import LANGUAGES

        return LANGUAGES
    return spec.askable()
