"""Rows of facts, as files hold them, turned into one checked Arrow table.

Whole files are parsed and checked by Arrow in one go; only when that finds a fault are they read again row by row,
to say which line it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from data_builders.errors import Problems
from data_builders.extras import drop_absent, extras_clean, extras_fault
from data_builders.facts import COLUMNS, OPTIONAL, SCHEMA, fact_key, is_clean, row_fault
from data_builders.jsonl import json_lines

FULL = pa.schema([*SCHEMA, *OPTIONAL])
_CHUNK = 10_000  # rows held as Python objects at a time


class Layout(NamedTuple):
    """How a file spells our columns. `fields` maps ours to its; without "relation", that is the file's name.

    `keys` are the fields that may hold the fact's key: the first that does counts, else it is made of the three parts.
    `extras` says whether the optional columns (spelled as ours) may be there.
    """

    fields: Mapping[str, str]
    keys: tuple[str, ...]
    extras: bool = False

    @property
    def schema(self) -> pa.Schema:
        named = pa.schema([(name, pa.string()) for name in (*self.fields.values(), *self.keys)])
        return pa.schema([*named, *OPTIONAL]) if self.extras else named


def read_facts(paths: Sequence[Path], layout: Layout, problems: Problems) -> pa.Table:
    """All facts of JSON Lines files as one table (SCHEMA, then what there is of OPTIONAL), in the order of `paths`.

    Bad rows, and facts that an earlier row of any of the files has, are left out and reported with file and line.
    """
    try:
        tables = [to_schema(_parse(p, layout), p.stem, layout) for p in paths if p.stat().st_size]
        table = drop_absent(pa.concat_tables([FULL.empty_table(), *tables], promote_options="default"))
        if is_clean(table) and extras_clean(table):
            return table
    except pa.ArrowInvalid:
        pass  # which line it is shows below
    return keep_good(((p, n, row) for p in paths for n, row in json_lines(p, problems)), layout, problems)


def _parse(path: Path, layout: Layout) -> pa.Table:
    table = pyarrow.json.read_json(
        path,
        read_options=pyarrow.json.ReadOptions(use_threads=False),  # mLAMA's files are small: threads cost more
        parse_options=pyarrow.json.ParseOptions(explicit_schema=layout.schema, unexpected_field_behavior="ignore"),
    )
    table.validate(full=True)  # the parser takes any bytes for text
    return table


def to_schema(table: pa.Table, stem: str, layout: Layout) -> pa.Table:
    """A table in a file's own spelling (`layout.schema`) as one in ours, with every fact's key filled in."""
    ours = {name: table[theirs] for name, theirs in layout.fields.items()}
    ours.setdefault("relation", pa.repeat(stem, len(table)))
    key = pc.binary_join_element_wise(ours["relation"], ours["subject_uri"], ours["object_uri"], "|")
    ours["fact"] = pc.coalesce(*(table[name] for name in layout.keys), key)
    schema = FULL if layout.extras else SCHEMA
    return pa.table({name: ours[name] if name in COLUMNS else table[name] for name in schema.names}, schema=schema)


def keep_good(rows: Iterable[tuple[Path, int, dict]], layout: Layout, problems: Problems) -> pa.Table:
    """The table of all `rows` (file, line, object) that are facts; the others are reported."""
    good = _good(rows, layout, problems)
    chunks = iter(lambda: list(islice(good, _CHUNK)), [])
    return drop_absent(pa.concat_tables([FULL.empty_table(), *(pa.Table.from_pylist(c, FULL) for c in chunks)]))


def _good(rows, layout, problems):
    spelled = {"fact": layout.keys[0], **layout.fields}
    seen: dict[str, str] = {}
    extras = None
    for path, line, row in rows:
        fact = {ours: row.get(theirs) for ours, theirs in layout.fields.items()}
        fact.setdefault("relation", path.stem)
        keys = [row[name] for name in layout.keys if row.get(name) is not None]
        fact["fact"] = keys[0] if keys else fact_key(fact["relation"], fact["subject_uri"], fact["object_uri"])
        if layout.extras:
            fact |= {name: row.get(name) for name in OPTIONAL.names}
        fault = row_fault(fact, spelled) or extras_fault(fact) or _text_fault(fact)
        has = {name for name in OPTIONAL.names if name != "aliases" and fact.get(name) is not None}
        if not fault and fact["fact"] in seen:
            fault = f"fact {fact['fact']!r} stands already at {seen[fact['fact']]}"
        if not fault and extras is not None and has != extras:
            fault = f"has {sorted(has) or 'none'} of the optional fields where the rows before have {sorted(extras)}"
        if fault:
            problems.add(path, line, fault)
            continue
        extras = has
        seen[fact["fact"]] = f"{path.name}:{line}"
        yield fact


def _text_fault(fact: dict) -> str | None:
    """Half of a surrogate pair, which JSON can spell and Unicode text cannot hold."""
    try:
        "".join(text for value in fact.values() for text in value or ()).encode()
    except UnicodeEncodeError as error:
        return f"holds {error.object[error.start]!r}, which is no character"
    return None
