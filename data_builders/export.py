"""Writing a fact set to a new folder: in mLAMA's published layout, or in ours as JSON Lines or Parquet."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import jsonlines
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.errors import FactrootsError, unknown
from data_builders.facts import COLUMNS, Template
from data_builders.parquet import write_table
from data_builders.templates import FILE


class Exported(NamedTuple):
    """What was written. `left_out` counts templates that the format has no room for."""

    languages: int
    facts: int
    templates: int
    left_out: int


def export(tables: Iterable[tuple[str, pa.Table, list[Template]]], directory: str | Path, format: str) -> Exported:
    """Write (language, facts, templates) triples to `directory`, which must not exist or be empty.

    The folder appears whole or not at all. Raises FactrootsError on a folder in use, an unknown format, facts that
    the format cannot hold, or a failed write.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    with new_folder(Path(directory)) as folder:
        write, numbers = FORMATS[format](folder), []
        for lang, table, templates in tables:
            _check_name("language", lang)
            written = write(lang, table, templates)
            numbers.append((1, len(table), written, len(templates) - written))
    return Exported(*(sum(column) for column in zip(*numbers, strict=True))) if numbers else Exported(0, 0, 0, 0)


@contextmanager
def new_folder(directory: Path) -> Iterator[Path]:
    """A working folder beside `directory` that takes its place when the block ends well, and vanishes otherwise."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FactrootsError(f"{directory} exists and is not an empty folder; name a new one")
    directory = directory.absolute()
    part = directory.with_name(f".{directory.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        yield part
        if directory.exists():
            directory.rmdir()
        part.rename(directory)
    except OSError as error:
        raise FactrootsError(f"cannot write {directory}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


Writer = Callable[[str, pa.Table, list[Template]], int]  # returns how many of the templates it wrote


def _mlama(folder: Path) -> Writer:
    lines: dict[str, int] = {}  # a fact's lineid is the same in every language

    def write(lang: str, table: pa.Table, templates: list[Template]) -> int:
        if table.column_names != list(COLUMNS):
            raise FactrootsError(
                "facts with prompts or aliases of their own do not fit mLAMA's layout; export as jsonl or parquet"
            )
        (folder / lang).mkdir()
        first = {t.relation: t for t in reversed(templates)}
        kept = [t for t in templates if first[t.relation] is t]
        # "made" is not in the published files; their readers pass over it, ours would have to guess without.
        _write(folder / lang / FILE, ({"relation": t.relation, "template": t.text, "made": t.made} for t in kept))
        for relation in table["relation"].unique().to_pylist():
            _check_name("relation", relation)
            rows = table.filter(pc.equal(table["relation"], relation)).to_pylist()
            _write(folder / lang / f"{relation}.jsonl", (_published(row, lines) for row in rows))
        return len(kept)

    return write


def _published(row: dict, lines: dict[str, int]) -> dict:
    uris = {"sub_uri": row["subject_uri"], "obj_uri": row["object_uri"]}
    labels = {"obj_label": row["object"], "sub_label": row["subject"]}
    return {**uris, **labels, "lineid": lines.setdefault(row["fact"], len(lines)), "uuid": row["fact"]}


def _jsonl(folder: Path) -> Writer:
    def facts(lang: str, table: pa.Table) -> None:
        _write(folder / f"facts-{lang}.jsonl", (row for batch in table.to_batches() for row in batch.to_pylist()))

    return _ours(folder, facts)


def _parquet(folder: Path) -> Writer:
    return _ours(folder, lambda lang, table: write_table(table, folder / f"facts-{lang}.parquet"))


def _ours(folder: Path, write_facts: Callable[[str, pa.Table], None]) -> Writer:
    def write(lang: str, table: pa.Table, templates: list[Template]) -> int:
        write_facts(lang, table)
        rows = ({"relation": t.relation, "lang": t.lang, "template": t.text, "made": t.made} for t in templates)
        _write(folder / FILE, rows)
        return len(templates)

    return write


def _write(path: Path, rows: Iterable[dict]) -> None:
    with open(path, "a", encoding="utf-8", newline="\n") as stream, jsonlines.Writer(stream) as writer:
        writer.write_all(rows)


def _check_name(kind: str, name: str) -> None:
    if not re.fullmatch(r"\w[\w. -]*", name) or f"{name}.jsonl" == FILE:
        raise FactrootsError(f"{kind} {name!r} cannot be part of a file's name in this format")


FORMATS: dict[str, Callable[[Path], Writer]] = {"jsonl": _jsonl, "mlama": _mlama, "parquet": _parquet}
