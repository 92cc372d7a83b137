"""Where right answers came from before and after: roots of both models, fact by fact."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from data_builders.corpora.built import Built
from data_builders.progress import progress
from fine_tuning.models import Loaded
from probe.protocols import Protocol
from probe.store import Store
from probe.tracing.matching import Matching
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.presences import Asking
from probe.tracing.roots import kept
from probe.tracing.roots.run import Tracing, describe, open_facts, trace
from probe.tracing.unit import Unit
from probe.variants.record import Moved

#: One row a fact, language and variant: its root in the base and in the variant, and their source languages.
ROOTS = pa.schema(
    {name: pa.string() for name in ("fact", "lang", "relation", "subject_uri", "variant", "before", "after")}
    | {"source_before": pa.string(), "source_after": pa.string()}
)
_COUNTED = ["variant", "lang", "before", "after"]
_KEY = ["fact", "lang", "relation", "subject_uri"]


class Tracer(NamedTuple):
    """How runs are to be traced: ``seeking`` None leaves neurons out, ``pieces`` counts the tokens of labels."""

    corpus: Built
    seeking: Seeking | None
    pieces: Callable[[list[str]], list[int]]
    quiet: bool


def traced(tracer: Tracer, store: Store, loaded: Loaded, protocol: Protocol, gold: str, other: Path | None):
    """The roots of a finished run as `probe trace-roots` gives them by default, and the folder that keeps them.

    `other` is the tracing of another run of the same facts, whose presence is taken over: it is of text alone.
    """
    asking = Asking((Unit.parse("sentence"),), Matching.parse("names"))
    tracing = Tracing(store, protocol, gold, tracer.corpus, asking, kept.How(), tracer.seeking)
    data = open_facts(store, tracer.corpus, None, tracer.pieces)
    folder = kept.default_folder(store.folder, describe(tracing, data, None))
    if other:
        _lend(other / "presence", folder / "presence")
    model = None if tracer.seeking is None else Model.of(loaded)
    with progress(tracer.quiet, "") as bar:
        table = trace(tracing, data, model, loaded.tokenizer, None, folder, bar).table
    return table.select([*_KEY, "root", "source"]).to_pandas(), folder


def moves(variant: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Both roots of every fact (:data:`ROOTS`), where the base or the variant is right."""
    both = before.merge(after, on=_KEY, suffixes=("_before", "_after"))
    both = both.rename(columns={"root_before": "before", "root_after": "after"}).assign(variant=variant)
    told = [~both[side].isin(["", "wrong", "unscored"]) for side in ("before", "after")]
    return both.loc[told[0] | told[1], ROOTS.names].reset_index(drop=True)


def moved(frames: Sequence[pd.DataFrame]) -> list[Moved]:
    """The moves counted, by variant and language."""
    return [
        Moved(**dict(zip(_COUNTED, key, strict=True)), n=int(n))
        for frame in frames
        for key, n in frame.groupby(_COUNTED, sort=True).size().items()
    ]


def _lend(source: Path, target: Path) -> None:
    """Copy a folder whole, or not at all."""
    if target.exists() or not source.is_dir():
        return
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, part)
    part.rename(target)
