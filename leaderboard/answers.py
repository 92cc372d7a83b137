"""The per-item file of a submission: every judged answer by name, from which each number of the record follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from leaderboard.columns import NAMES, SCHEMA
from probe.judging import COLUMNS, Judged, hashes
from probe.protocols import Protocol
from probe.results import Result
from probe.scores import summed, with_majority

_ROWS, _DICTIONARY = 1 << 20, 64 << 20  # of a row group: rows, and bytes of names


class Kept(NamedTuple):
    """A language's answers out of a submission, as :func:`probe.scores.summed` takes them."""

    frame: pd.DataFrame
    unscored: Mapping[str, int]
    unknown: int


def write(judged: Mapping[str, Judged], path: Path) -> int:
    """Write judged answers, whose items and subjects have their names, and return how many there are."""
    table = pa.concat_tables([SCHEMA.empty_table(), *(_table(one.frame) for one in judged.values() if len(one.frame))])
    # Languages ask the same facts: in one row group with room for its dictionary each name is written once.
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=9,
        use_dictionary=NAMES,
        row_group_size=_ROWS,
        dictionary_pagesize_limit=_DICTIONARY,
    )
    return len(table)


def _table(frame: pd.DataFrame) -> pa.Table:
    columns = [pa.array(_plain(frame[name]), SCHEMA.field(name).type, from_pandas=True) for name in COLUMNS]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _plain(column: pd.Series):
    """A column without pandas' own kinds of it."""
    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()


def read(path: Path, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """All answers of a per-item file that has been found good; names are categories, golds tuples, null is NaN."""
    return frame_of(table_of(path, columns))


def table_of(path: Path, columns: Sequence[str] = COLUMNS) -> pa.Table:
    """The same as the table that it is, names as dictionaries."""
    try:
        return pq.read_table(path, columns=list(columns), read_dictionary=NAMES, memory_map=False)
    except FileNotFoundError as error:
        raise FactrootsError(f"{path} is not there; `probe leaderboard validate` says what is left") from error
    except (pa.ArrowException, OSError) as error:
        raise FactrootsError(f"{path} is no whole Parquet file: {str(error).splitlines()[0]}") from error


def frame_of(table: pa.Table) -> pd.DataFrame:
    """A table of some of :data:`SCHEMA` as pandas has it."""
    if "golds" not in table.column_names:
        return table.to_pandas()
    seen: dict[tuple[int, ...], tuple[int, ...]] = {}
    golds = [seen.setdefault(key, key) for key in map(tuple, table["golds"].to_pylist())]
    frame = table.drop_columns("golds").to_pandas()
    return frame.assign(golds=pd.Series(golds, dtype=object, index=frame.index))[table.column_names]


def by_language(frame: pd.DataFrame, langs: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each language, as judging left them: items and subjects are hashes, and rows count from 0."""
    frame = frame.assign(**{name: _hashed(frame[name]) for name in ("item", "subject_uri")})
    own = frame["lang"].astype(str)
    for lang in langs:
        rows = frame[(own == lang).to_numpy()].reset_index(drop=True)
        yield (
            lang,
            rows.assign(lang=lang, relation=rows["relation"].astype(str)).astype(
                {"lang": "category", "relation": "category"}
            ),
        )


def _hashed(names: pd.Series):
    """Hashes of names, each distinct one hashed once."""
    names = names.astype("category").cat
    return hashes(pd.Series(names.categories.astype(object)))[names.codes]


def derived(frame: pd.DataFrame, result: Result, protocol: Protocol) -> dict[str, Any]:
    """The numbers of a record that its answers decide, derived again: fields of :class:`Result` by their names.

    How many items have no answer, and why, is the record's own word. Raises FactrootsError without any answer.
    """
    said = {one.lang: one for one in result.languages}
    kept = {
        lang: Kept(with_majority(rows), said[lang].n_unscored, said[lang].n_unknown_golds)
        for lang, rows in by_language(frame, list(said))
    }
    return summed(kept, protocol)
