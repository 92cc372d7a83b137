"""A per-item file that a stranger made: its own account of itself is checked before it is read, then its rows.

A broken file can end the process that reads it, so this is run in one of its own (:mod:`leaderboard.apart`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leaderboard.columns import NAMES, SCHEMA, SHARES
from leaderboard.memory import bounded
from leaderboard.text import LENGTHS, fault_of, shown

#: The most rows, row groups, bytes once unpacked, golds of a row, and relations times languages, of which there are
#: sums for every resample.
ROWS, GROUPS, BYTES, GOLDS, RELATIONS = 5_000_000, 20_000, 1 << 30, 1000, 20_000
#: The longest name, and how much memory reading may take, in all and for each row.
NAME, SPARE, ROW = 300, 1 << 30, 500
_REQUIRED = ("lang", "relation", "item", "template", "subject_uri", "p1", "pieces", "golds")
#: Of what the file says of itself, in bytes and in parts.
_LIMITS = {"thrift_string_size_limit": 1 << 20, "thrift_container_size_limit": 1 << 20}
_CODECS = {"UNCOMPRESSED", "SNAPPY", "ZSTD", "GZIP", "LZ4", "BROTLI"}


def faults(path: Path) -> list[str]:
    """All that is wrong with a per-item file, as far as reading it is safe."""
    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            return ["is no Parquet file"]
    try:
        with pq.ParquetFile(path, **_LIMITS) as opened:
            if found := [*_declared(opened)]:
                return found
            rows = opened.metadata.num_rows
        with pq.ParquetFile(path, read_dictionary=NAMES, **_LIMITS) as opened, bounded(SPARE + ROW * rows):
            table = opened.read(use_threads=False)
            table.validate(full=True)
            return [*_names(table)] or [*_missing(table)] or [*_numbers(table), *_order(table)]
    except (pa.ArrowException, OSError, MemoryError, ValueError, KeyError) as error:
        said = str(error).splitlines() or [type(error).__name__]
        return [f"is no whole Parquet file: {shown(said[0], 200)}"]


def _declared(opened: pq.ParquetFile) -> Iterator[str]:
    """What is wrong by the file's own account of itself."""
    held, schema = opened.metadata, opened.schema_arrow
    plain = pa.schema([field.with_type(_plain(field.type)) for field in schema])
    if not plain.equals(SCHEMA, check_metadata=False) or any(field.metadata for field in _fields(schema)):
        yield from _columns(plain)
    if not 0 < held.num_rows <= ROWS:
        yield f"has {held.num_rows:,} rows, and 1 to {ROWS:,} are allowed"
    if held.num_row_groups > GROUPS:
        yield f"has {held.num_row_groups:,} row groups, and {GROUPS:,} are allowed"
        return
    groups = [held.row_group(i) for i in range(held.num_row_groups)]
    columns = [group.column(i) for group in groups for i in range(group.num_columns)]
    if (size := sum(max(c.total_uncompressed_size, 0) for c in columns)) > BYTES:
        yield f"unpacks to {size:,} bytes, and {BYTES:,} are allowed"
    if any(c.total_uncompressed_size < 0 or c.num_values < 0 for c in columns):
        yield "has columns of less than no size"
    if odd := {c.compression for c in columns} - _CODECS:
        yield f"is compressed by {', '.join(sorted(odd))}"
    golds = sum(c.num_values for c in columns if c.path_in_schema.startswith("golds"))
    if golds > GOLDS * max(held.num_rows, 1):
        yield f"has {golds:,} golds in {held.num_rows:,} rows"
    if sum(group.num_rows for group in groups) != held.num_rows:
        yield "has row groups of other lengths than it says"


def _fields(schema: pa.Schema) -> Iterator[pa.Field]:
    for field in schema:
        yield field
        if pa.types.is_list(field.type):
            yield field.type.value_field.remove_metadata()


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without the dictionary that reading puts around names, and lists whatever their values are called."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    return pa.list_(kind.value_type) if pa.types.is_list(kind) else kind


def _columns(schema: pa.Schema) -> Iterator[str]:
    """How the columns differ from those that there should be."""
    found = {field.name: field.type for field in schema}
    for name in found.keys() - set(SCHEMA.names):
        yield f"has a column {shown(name)!r} that no per-item file has"
    for field in SCHEMA:
        if field.name not in found:
            yield f"has no column {field.name}"
        elif found[field.name] != field.type:
            yield f"has {found[field.name]} in the column {field.name}, and not {field.type}"
    if sorted(schema.names) == sorted(SCHEMA.names) and all(found[f.name] == f.type for f in SCHEMA):
        yield f"has its columns in another form or order than {', '.join(SCHEMA.names)}"


def _names(table: pa.Table) -> Iterator[str]:
    """What is wrong with names: each distinct one is looked at, and none has been written out yet."""
    for name in NAMES:
        longest = LENGTHS.get(name, NAME)
        for chunk in table[name].chunks:
            lengths = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
            if lengths > 4 * longest:  # bytes of as many characters
                yield f"has a name of {lengths:,} bytes in the column {name}"
                continue
            for text in chunk.dictionary.to_pylist():
                if text is not None and (fault := fault_of(text, longest) or (None if text else "is empty")):
                    yield f"column {name}: {shown(text)!r} {fault}"
    if not any(chunk.dictionary.null_count for name in NAMES for chunk in table[name].chunks):
        return
    yield "has names that are null"


def _missing(table: pa.Table) -> Iterator[str]:
    """Where nothing stands: what a protocol does not define is null in all rows, and never in some."""
    for name in SCHEMA.names:
        nulls = table[name].null_count
        if name in _REQUIRED and nulls:
            yield f"has {nulls:,} rows without {name}"
        elif 0 < nulls < len(table):
            yield f"has {name} in some rows and not in others"
    for chunk in table["golds"].chunks:
        if chunk.values.null_count or pc.min(pc.list_value_length(chunk)).as_py() < 1:
            yield "has rows whose golds are empty or null"
            break
    if pc.max(pc.list_value_length(table["golds"])).as_py() > GOLDS:
        yield f"has rows with more than {GOLDS} golds"


def _numbers(table: pa.Table) -> Iterator[str]:
    """Shares that are none, or that contradict each other; and counts below what can be."""
    shares = {name: table[name] for name in SHARES if not table[name].null_count}
    for name, values in shares.items():
        fine = pc.and_(pc.greater_equal(values, 0.0), pc.less_equal(values, 1.0))  # a NaN is neither
        if bad := _count(pc.invert(fine)):
            yield f"has {bad:,} rows whose {name} is no share of 1"
    for less, more in (("p1", "p5"), ("p5", "p10"), ("p1", "rr")):
        if less in shares and more in shares:
            above = pc.greater(shares[less], pc.add(shares[more], 1e-9))
            if bad := _count(above):
                yield f"has {bad:,} rows whose {less} is more than their {more}"
    for name in ("template", "pieces"):
        if bad := _count(pc.less(table[name], 0)):
            yield f"has {bad:,} rows whose {name} is less than 0"
    if pc.min(pc.list_flatten(table["golds"])).as_py() < 0:
        yield "has golds below 0"


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0


def _order(table: pa.Table) -> Iterator[str]:
    """Rows that stand there twice or in another order, and more relations than there may be."""
    keys = pa.table({name: _numbered(table[name]) for name in ("lang", "relation", "item", "template")})
    if (pairs := len(keys.select(["lang", "relation"]).group_by(["lang", "relation"]).aggregate([]))) > RELATIONS:
        yield f"has {pairs:,} relations in all languages, and {RELATIONS:,} are allowed"
    if twice := len(keys) - len(keys.group_by(keys.column_names).aggregate([])):
        yield f"has {twice:,} rows twice (language, relation, item and template are the same)"
    langs = keys["lang"].combine_chunks()
    if _count(pc.not_equal(langs[1:], langs[:-1])) + 1 != pc.count_distinct(langs).as_py():
        yield "has rows of one language in several places"


def _numbered(column: pa.ChunkedArray) -> pa.Array:
    """Names by their places in one dictionary, which are quicker to compare."""
    if not pa.types.is_dictionary(column.type):
        return column.combine_chunks()
    return column.unify_dictionaries().combine_chunks().indices


def main() -> None:
    """Answer each line, a file's name as a JSON string, with what is wrong with the file, as a JSON list."""
    for line in sys.stdin:
        print(json.dumps(faults(Path(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
