"""Tracing a finished run: presence, neurons and roots, each step kept, so that a stopped tracing goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from data_builders.corpora.built import Built
from data_builders.errors import FactrootsError
from data_builders.factset import FactSet, OpenFactSet
from probe import passes
from probe.protocols import Protocol
from probe.store import Store
from probe.tracing import presences
from probe.tracing.neurons import kept as neurons
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.overlap import overlaps
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.neurons.silenced import silence
from probe.tracing.neurons.silencing import Silencing
from probe.tracing.presences import Asking
from probe.tracing.roots import kept
from probe.tracing.roots.answered import Answered, answered
from probe.tracing.roots.causal import checked
from probe.tracing.roots.gathering import Gathered, gather
from probe.tracing.roots.kept import How
from probe.tracing.roots.labels import need_level
from probe.tracing.roots.silenced import Silenced, by_root, chosen, wanted
from probe.tracing.roots.still import still


@dataclass(frozen=True)
class Tracing:
    """What is to be traced: a run under a protocol, in a corpus, in one unit; ``seeking`` None leaves neurons out.

    ``silence`` is of how many facts a relation neurons are silenced; 0 is of none, or where the split is causal all.
    """

    store: Store
    protocol: Protocol
    gold: str
    corpus: Built
    asking: Asking
    how: How
    seeking: Seeking | None
    silence: int = 0


class Traced(NamedTuple):
    """What came of it. ``overlaps`` is None without neurons; ``silenced`` may be empty."""

    table: pa.Table
    gathered: Gathered
    overlaps: pa.Table | None
    silenced: list[Silenced]
    unasked: dict[str, dict[str, int]]


def open_facts(store: Store, corpus: Built, langs: Sequence[str] | None, pieces=None) -> OpenFactSet:
    """The run's facts in the languages that run and corpus share. Raises FactrootsError where they do not fit.

    `pieces` counts labels' tokens, for facts that were chosen by them.
    """
    run = store.read()
    held = run["data"]["langs"]
    if unknown := [lang for lang in langs or () if lang not in held]:
        raise FactrootsError(f"{store.folder} has no {', '.join(unknown)}; it has: {' '.join(held)}")
    shared = [lang for lang in langs or held if lang in corpus.langs]
    if not shared or (langs and len(shared) < len(langs)):
        raise FactrootsError(f"the corpus has {' '.join(corpus.langs)}, and the run {' '.join(held)}; name --langs")
    whole = FactSet.parse(run["facts"]).open(held, skip_bad=run["data"]["bad_rows"] > 0, pieces=pieces)
    if whole.sha256 != run["data"]["sha256"]:
        raise FactrootsError(f"the facts of {run['facts']} have changed since {store.folder} was made; run it anew")
    return (
        whole
        if list(shared) == list(held)
        else replace(whole.spec, langs=tuple(shared)).open(skip_bad=True, pieces=pieces)
    )


def answers(tracing: Tracing, langs: Sequence[str]) -> list[Answered]:
    """Of each language. Raises FactrootsError where the run is not finished or of another pass."""
    run = tracing.store.read()
    wanted = passes.needed(tracing.protocol, run["model"]["family"], run["data"]["langs"])
    if not passes.serves(run["scoring"], wanted):
        raise FactrootsError(
            f"{tracing.store.folder} holds the pass {run['scoring']}; {tracing.protocol} needs {wanted}"
        )
    if missing := [lang for lang in langs if not tracing.store.items(lang).exists()]:
        raise FactrootsError(f"{tracing.store.folder} is not finished ({', '.join(missing)} to go); repeat its run")
    return [answered(tracing.store, lang, tracing.protocol, tracing.gold) for lang in langs]


def describe(tracing: Tracing, data: OpenFactSet, tokenizer) -> dict:
    """Everything that decides the roots."""
    run = tracing.store.read()
    return {
        "run": {name: run[name] for name in ("version", "facts", "data", "scoring", "model")},
        "protocol": str(tracing.protocol),
        "gold": tracing.gold,
        "presence": presences.describe(data, tracing.corpus, tracing.asking, tokenizer),
        "neurons": None if tracing.seeking is None else str(tracing.seeking),
        "how": str(tracing.how),
    }


def trace(tracing: Tracing, data: OpenFactSet, model: Model | None, tokenizer, pieces, folder: Path, bar) -> Traced:
    """Trace every language of `data` into `folder`; what is there already is not made again.

    `tokenizer` tells cues; `pieces` spells names and text where the unit is of word-pieces; `model` is None
    where neurons are left out. What can be refused is refused before anything is read or run.
    """
    need_level(tracing.how.alpha)
    langs = data.langs
    unit = tracing.asking.units[0]
    own = answers(tracing, langs)
    present = presences.carry_out(data, tracing.corpus, tracing.asking, folder / "presence", bar, pieces)
    found, overlap, unasked = None, None, {}
    if tracing.seeking is not None:
        right = {lang: answer.right for lang, answer in zip(langs, own, strict=True)}
        scoring = tracing.store.read()["scoring"]
        found = neurons.carry_out(data, model, right, tracing.seeking, folder / "neurons", bar, scoring)
        overlap, unasked = overlaps(found.table()), {lang: dict(n) for lang, n in found.unasked().items()}
    gathered = gather(langs, present, unit, own, tracing.how.cues, tokenizer, overlap)
    table = kept.roots(gathered, tracing.how)
    sample = chosen(table, tracing.silence)  # by overlap, so that it is the same whatever tells roots in the end
    if tracing.how.split == "causal":
        facts = sample if tracing.silence else gathered.facts
        gathered = checked(gathered, tracing.how, facts, data, model, found, bar)
        table = kept.roots(gathered, tracing.how)
    silenced = _silenced(tracing, table, sample, data, model, found, bar) if sample else []
    return Traced(table, gathered, overlap, silenced, unasked)


def _silenced(tracing: Tracing, table: pa.Table, facts, data: OpenFactSet, model: Model, found, bar) -> list[Silenced]:
    sources = wanted(table, facts, data.langs)
    fallen = silence(data, model, found, sources, Silencing(), bar)
    right = still(tracing.store, data, (tracing.protocol, tracing.gold), model, found, sources, bar)
    return by_root(table, fallen, right)
