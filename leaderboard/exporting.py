"""A board written out: as a table for other programs, or as submissions for another board."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically
from fine_tuning.variants.folder import write_whole
from leaderboard.board import Board
from leaderboard.index import indexed

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip file's first moment: the same submissions give the same bytes


def _new(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise FactrootsError(f"{path} is there already; remove it, or name another")


def _table(board: Board) -> pa.Table:
    return indexed(board).drop_columns(["size", "changed"])


def _count(table: pa.Table) -> int:
    return len(table["entry"].unique())


def to_csv(board: Board, path: Path) -> int:
    """A row for each submission and language; a text that a spreadsheet would compute with is quoted by a "'"."""
    _new(path)
    table = _table(board)
    for place, field in enumerate(table.schema):
        if field.type == pa.string():
            texts = [text and (f"'{text}" if text[0] in "=+-@" else text) for text in table[field.name].to_pylist()]
            table = table.set_column(place, field, pa.array(texts, pa.string()))
    write_atomically(path, lambda part: pyarrow.csv.write_csv(table, part))
    return _count(table)


def to_parquet(board: Board, path: Path) -> int:
    """The same, with types."""
    _new(path)
    table = _table(board)
    write_atomically(path, lambda part: pq.write_table(table, part, compression="zstd"))
    return _count(table)


def to_submissions(board: Board, path: Path) -> int:
    """Every record and per-item file, in folders as on the board."""
    _new(path)
    files = dict(_files(board))
    if path.suffix == ".zip":
        write_atomically(path, lambda part: _zip(files, part))
    else:
        write_whole(path, lambda part: _copy(files, part))
    return sum(name.endswith(".json") for name in files)


def _files(board: Board) -> Iterator[tuple[str, Path]]:
    for entry in board.entries():
        for path in (entry.path, entry.answers_path):
            if path is not None:
                yield path.relative_to(board.submissions).as_posix(), path


def _zip(files: dict[str, Path], path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, file in files.items():
            about = zipfile.ZipInfo(name, _EARLIEST)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, file.read_bytes())


def _copy(files: dict[str, Path], folder: Path) -> None:
    for name, file in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)


#: What ``--to`` may be. Adding one is a line.
WAYS: dict[str, Callable[[Board, Path], int]] = {"csv": to_csv, "parquet": to_parquet, "json": to_submissions}
