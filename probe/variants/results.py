"""What a comparison comes to: its record, and the tables beside it, from the runs of the base and of the variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.factset import OpenFactSet
from data_builders.folder import write_atomically, write_json
from probe import uncertainty
from probe.protocols import Protocol
from probe.provenance import code, packages
from probe.signature import version
from probe.variants.comparing import effects, rows
from probe.variants.costs import cost
from probe.variants.record import CI, Compared, Comparison, Part, Row, Taught
from probe.variants.roots import ROOTS, moved, moves
from probe.variants.running import Ran
from probe.variants.split import Split
from probe.variants.transitions import TRANSITIONS, Changed, changed


class Results(NamedTuple):
    """The record, and the tables of facts and of roots (None where none were traced)."""

    record: Comparison
    transitions: pa.Table
    roots: pa.Table | None


def results(ran: Sequence[Ran], splits: Sequence[Split | None], data: OpenFactSet, protocol: Protocol,
            gold: str) -> Results:  # fmt: skip
    """Compare every other model of `ran` with the first; `splits` are theirs."""
    base, *variants = ran
    own = [changed(one.name, base.answers, one.answers, s) for one, s in zip(variants, splits, strict=True)]
    frames = [one.frame for one in own]
    roots = None if base.roots is None else [moves(one.name, base.roots, one.roots) for one in variants]
    compared = [_compared(base, *each) for each in zip(variants, splits, own, strict=True)]
    run = base.store.read()
    record = Comparison(
        signature=signature(run, data, protocol, gold, compared),
        base=base.name,
        base_sha256=run["model"]["sha256"],
        protocol=str(protocol),
        gold=gold,
        facts=data.spec.portable,
        langs=list(data.langs),
        variants=compared,
        rows=rows(frames, data.langs, protocol.aggregate),
        effects=effects(frames, protocol.aggregate),
        roots=None if roots is None else moved(roots),
        n_bad_rows=run["data"]["bad_rows"],
        ci=CI(level=uncertainty.LEVEL, resamples=uncertainty.RESAMPLES, seed=uncertainty.SEED),
        code=code(),
        packages=packages(),
    )
    return Results(record, _table(frames, TRANSITIONS), None if roots is None else _table(roots, ROOTS))


def signature(run: dict, data: OpenFactSet, protocol: Protocol, gold: str, compared: Sequence[Compared]) -> str:
    """``key:value`` pairs that say what decided the numbers, hashes by their first eight digits."""
    parts = {
        "facts": data.spec.portable,
        "data": data.sha256[:8],
        "protocol": protocol,
        "scoring": run["scoring"],
        "gold": gold,
        "model": run["model"]["name"],
        "weights": run["model"]["sha256"][:8],
        "variants": ";".join(f"{one.name}={one.sha256[:8]}" for one in compared),
        "ci": f"bootstrap,subject,n={uncertainty.RESAMPLES},seed={uncertainty.SEED}",
        "version": version(),
    }
    return "|".join(f"{key}:{value}" for key, value in parts.items())


def flat(row: Row) -> dict:
    """A row of the table with its intervals spread over columns."""
    made = {}
    for name, value in row.model_dump().items():
        made |= (
            {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
            if isinstance(value, dict)
            else {name: value}
        )
    return made


def write(folder: Path, found: Results) -> None:
    """``transitions.parquet``, ``comparison.parquet``, ``roots.parquet`` if traced and, last, ``comparison.json``."""
    tables = {"transitions": found.transitions, "comparison": pa.Table.from_pylist(list(map(flat, found.record.rows)))}
    if found.roots is not None:
        tables["roots"] = found.roots
    for name, table in tables.items():
        write_atomically(
            folder / f"{name}.parquet", lambda part, table=table: pq.write_table(table, part, compression="zstd")
        )
    write_json(folder / "comparison.json", found.record.model_dump(mode="json"))


def _table(frames: Sequence[pd.DataFrame], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pandas(pd.concat(frames, ignore_index=True), schema, preserve_index=False)


def _compared(base: Ran, ran: Ran, split: Split | None, own: Changed) -> Compared:
    variants = ran.at.variants[len(base.at.variants) :]
    asked = set(own.frame["fact"])
    return Compared(
        name=ran.name,
        spec=str(ran.at.spec),
        sha256=ran.store.read()["model"]["sha256"],
        parts=[
            Part(folder=v.folder.name, scale=scale, method=v.about.method, lang=v.about.lang, sha256=v.about.sha256)
            for v, scale in variants
        ],
        split=split and Taught(taught=len(split.taught & asked), held=len(split.held & asked), langs=list(split.langs)),
        n=len(own.frame),
        only_before=own.only_before,
        only_after=own.only_after,
        cost=cost([variant for variant, _ in variants]),
    )
