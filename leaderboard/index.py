"""An index of a board: a row for each submission and language, made of the files, and anew where these have changed.

Nothing depends on it but speed: it may be removed at any time, and git does not see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically
from leaderboard import withdrawn
from leaderboard.board import Board
from leaderboard.comparable import comparable
from leaderboard.entry import Entry
from leaderboard.names import factset
from leaderboard.staging import alone
from leaderboard.submission import Told

FILE = ".index.parquet"
_TEXT, _SHARE, _COUNT = pa.string(), pa.float64(), pa.int64()
#: ``lang`` "" is all languages together. ``size`` and ``changed`` are the record's, by which a row is known to be true.
SCHEMA = pa.schema(
    {
        "entry": _TEXT,
        "sha256": _TEXT,
        "size": _COUNT,
        "changed": _COUNT,
        "model": _TEXT,
        "revision": _TEXT,
        "factset": _TEXT,
        "protocol": _TEXT,
        "origin": _TEXT,
        "class": _TEXT,
        "lang": _TEXT,
        "value": _SHARE,
        "low": _SHARE,
        "high": _SHARE,
        "chance": _SHARE,
        "majority": _SHARE,
        "n": _COUNT,
        "n_unscored": _COUNT,
        "parameters": _COUNT,
        "seconds": _SHARE,
    }
)


def indexed(board: Board) -> pa.Table:
    """The rows of all submissions that are on the board now, in order of entries; what is not indexed yet is read.

    The index is written back where that is possible. Raises FactrootsError for a file that is no record.
    """
    path = board.root / FILE
    held = _held(path)
    kept: dict[tuple[str, int, int], list[dict]] = {}
    for row in held.to_pylist():
        kept.setdefault((row["entry"], row["size"], row["changed"]), []).append(row)
    found, fresh = [], False
    for record in board.records():
        stat = record.lstat()
        rows = kept.get((board.name_of(record), stat.st_size, stat.st_mtime_ns))
        fresh |= rows is None
        found += rows or _rows(board.read(record), stat.st_size, stat.st_mtime_ns)
    table = pa.Table.from_pylist(found, SCHEMA)
    if fresh or len(table) != len(held):
        with suppress(OSError, FactrootsError), alone(board.root):  # what cannot be written can be read all the same
            write_atomically(path, lambda part: pq.write_table(table, part, compression="zstd"))
    gone = withdrawn.gone(board.root)
    if not gone:
        return table
    return pa.Table.from_pylist([row for row in found if (row["entry"], row["sha256"]) not in gone], SCHEMA)


def _held(path: Path) -> pa.Table:
    """The index as it is; empty where there is none, or one that cannot be read."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException):
        return SCHEMA.empty_table()
    return table if table.schema.equals(SCHEMA) else SCHEMA.empty_table()


def _rows(entry: Entry, size: int, changed: int) -> Iterator[dict[str, Any]]:
    """A submission's rows, that of all its languages first."""
    one = entry.submission
    result, told = one.result, isinstance(one.result, Told)
    same = {
        "entry": entry.name,
        "sha256": entry.sha256,
        "size": size,
        "changed": changed,
        "model": one.model,
        "revision": result.model.get("revision"),
        "factset": factset(one),
        "protocol": result.protocol,
        "origin": one.origin,
        "class": comparable(one),
        "parameters": one.parameters,
        "seconds": one.seconds,
    }
    if told:
        yield same | {"lang": "", "value": result.value, "n": result.n_scored}
        yield from (same | {"lang": own.lang, "value": own.value, "n": own.n} for own in result.languages)
        return
    whole = {"value": result.value, "low": result.ci.low, "high": result.ci.high, **result.baselines}
    yield same | {"lang": "", **whole, "n": result.n_scored, "n_unscored": sum(result.n_unscored.values())}
    for own in result.languages:
        row = same | {"lang": own.lang, "n": 0, "n_unscored": sum(own.n_unscored.values())}
        if own.all:
            row |= {"value": own.all.value, "low": own.all.ci.low, "high": own.all.ci.high}
            row |= {"chance": own.all.chance, "majority": own.all.majority, "n": own.all.n}
        yield row


#: What a listing can be narrowed by: a part of the text in a column, capital letters aside.
FILTERS = ("model", "factset", "protocol")


def select(table: pa.Table, lang: str | None = None, **parts: str | None) -> pa.Table:
    """The rows of a language (all together, if None) whose columns hold these `parts`, best values first.

    Raises FactrootsError, with all that there are, for a language that no submission has.
    """
    import duckdb

    langs = sorted(set(table["lang"].to_pylist()) - {""})
    if lang and lang not in langs:
        raise FactrootsError(f"no submission has the language {lang!r}; there are: {' '.join(langs) or 'none'}")
    named = {name: part for name, part in parts.items() if part is not None}
    words = "".join(f' AND contains(lower("{name}"), lower(?))' for name in named if name in FILTERS)
    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as found:
        found.register("board", table)
        query = f'SELECT * FROM board WHERE lang = ?{words} ORDER BY "class", value DESC NULLS LAST, entry'
        return found.sql(query, params=[lang or "", *named.values()]).to_arrow_table().cast(SCHEMA)
