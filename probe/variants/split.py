"""Which facts a variant was taught and which were kept from it, and where a fact that is asked belongs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet, OpenFactSet
from fine_tuning.locating import Located
from fine_tuning.variants.folder import Variant, read_variant

#: Where a fact belongs: it was taught, or drawn and held out, and is asked in a language of the training or
#: ``elsewhere``; all others are ``other``.
PARTS = ("taught", "held out", "taught elsewhere", "held out elsewhere", "other")


class Split(NamedTuple):
    """Keys of the facts that were trained on and of those drawn but held out, and the training's languages."""

    taught: frozenset[str]
    held: frozenset[str]
    langs: tuple[str, ...]


def splits(places: Sequence[Located], taught: str | None, data: OpenFactSet, gold: str) -> list[Split | None]:
    """Of every model after the first: the split that its variants record together, or all that of the variant `taught`.

    Raises FactrootsError where `taught` records none.
    """
    if taught is None:
        return [split([variant for variant, _ in at.variants], data, gold) for at in places[1:]]
    if (named := split([read_variant(Path(taught))], data, gold)) is None:
        raise FactrootsError(f"{taught} was taught no facts of {data.spec.source}; name one that was, with --taught")
    return [named] * (len(places) - 1)


def split(variants: Sequence[Variant], data: OpenFactSet, gold: str) -> Split | None:
    """What was taught by one of `variants`, and what was held out by one and taught by none.

    None where none of them was taught facts of the set that `data` is of. With ``gold="any"``, where an item is all
    facts of a subject, it was taught if one of them was.
    """
    taught: set[str] = set()
    held: set[str] = set()
    langs: dict[str, None] = {}
    for variant in variants:
        about = variant.about.data
        if "taught_sha256" not in about:
            continue
        facts = FactSet.parse(about["facts"])
        if facts.source != data.spec.source:
            click.echo(f"{variant.folder} was taught facts of {facts.source}, which are not told apart here", err=True)
            continue
        from fine_tuning.training.facts import recorded_sides

        opened = replace(facts, path=data.spec.path, templates="first").open(skip_bad=True, pieces=data.pieces)
        for keys, own in zip((taught, held), recorded_sides(about, opened), strict=True):
            keys |= _items(own, opened, gold)
        langs |= dict.fromkeys(about["langs"])
    return Split(frozenset(taught), frozenset(held - taught), tuple(langs)) if langs else None


def _items(keys: Iterable[str], data: OpenFactSet, gold: str) -> set[str]:
    """The items (:func:`probe.judging.items`) that facts belong to."""
    if gold != "any":
        return set(keys)
    keys = set(keys)
    rows = (row for lang in data.langs for row in data.table(lang).to_pylist())
    return {f"{row['relation']}|{row['subject_uri']}" for row in rows if row["fact"] in keys}


def parts(frame: pd.DataFrame, split: Split | None) -> np.ndarray:
    """The part (:data:`PARTS`) of every row, by its fact and lang; None everywhere without a split."""
    if split is None:
        return np.full(len(frame), None, object)
    taught, held = (frame["fact"].isin(keys) for keys in split[:2])
    own = frame["lang"].isin(split.langs)
    return np.select([taught & own, held & own, taught, held], PARTS[:4], PARTS[4]).astype(object)
