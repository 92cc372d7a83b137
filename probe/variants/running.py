"""The base and its variants put through the prober, each in a run of its own below the comparison's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from data_builders.folder import read_json, write_json
from fine_tuning.locating import Located, locate
from fine_tuning.models import check_variants, load
from probe import passes
from probe.pairs import answers
from probe.protocols import Protocol
from probe.running import carry_out, default_folder, describe
from probe.store import Store
from probe.variants.plan import Named
from probe.variants.roots import Tracer, traced

ASKED = "asked.json"


class Ran(NamedTuple):
    """A model that was asked: its run, its answers by name (:func:`probe.pairs.answers`), and roots if traced."""

    name: str
    at: Located
    store: Store
    answers: pd.DataFrame
    roots: pd.DataFrame | None


def found(named: Sequence[Named], tokenizer) -> list[Located]:
    """Where every model lies. Raises FactrootsError, before any is loaded, where one is not there or does not fit."""
    places = [locate(str(one.spec)) for one in named]
    for at in places:
        check_variants(at, tokenizer)
    return places


def folder_of(asked: dict) -> Path:
    """``runs/compared-<base>-<hash>``, the hash over all that was asked."""
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:10]
    return Path("runs") / f"compared-{Path(asked['base']).name}-{digest}"


def claim(folder: Path, asked: dict) -> None:
    """Make the folder this comparison's, or find that it is already; other variants may be asked for again and again.

    Raises FactrootsError where it holds anything else.
    """
    path = folder / ASKED
    if not path.exists() and any(p.name[0] != "." for p in folder.iterdir()):
        raise FactrootsError(f"{folder} is not empty and holds no comparison; choose another --output")
    held = read_json(path) if path.exists() else asked
    differ = sorted(key for key in held.keys() | asked.keys() if key != "variants" and held.get(key) != asked.get(key))
    if differ:
        raise FactrootsError(
            f"{folder} holds another comparison (its {', '.join(differ)} differ); choose another --output"
        )
    write_json(path, asked)


def run_all(
    named: Sequence[Named],
    places: Sequence[Located],
    data: OpenFactSet,
    protocol: Protocol,
    gold: str,
    folder: Path,
    device: str,
    quiet: bool,
    tracer: Tracer | None,
) -> list[Ran]:
    """Ask every model the same, one in memory at a time; what is finished is not asked again."""
    made, last = [], None
    for one, at in zip(named, places, strict=True):
        if not quiet:
            click.echo(f"{one.name}:", err=True)
        loaded = load(at, device=device)
        scoring = passes.needed(protocol, loaded.family, data.langs)
        store = Store(folder / default_folder(describe(data, loaded, scoring)))
        carry_out(data, loaded, scoring, store, quiet)
        roots = None
        if tracer:
            roots, last = traced(tracer, store, loaded, protocol, gold, last)
        del loaded  # its memory is needed
        made.append(Ran(one.name, at, store, answers(store, protocol, gold, hashed=False), roots))
    return made
