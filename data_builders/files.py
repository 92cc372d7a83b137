"""Our own layout: ``facts-<lang>.jsonl`` or ``facts-<lang>.parquet`` and one ``templates.jsonl``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.extras import drop_absent, extras_clean
from data_builders.facts import COLUMNS, Template, is_clean
from data_builders.parquet import read_table
from data_builders.rows import FULL, Layout, keep_good, read_facts, to_schema
from data_builders.templates import FILE, read_templates

LAYOUT = Layout({name: name for name in COLUMNS if name != "fact"}, ("fact", "uuid"), extras=True)


class Files:
    """``DIR/facts-<lang>.jsonl`` or ``.parquet`` with our column names; "fact" may be left out for "uuid" or neither.

    ``DIR/templates.jsonl`` has ``{"relation", "lang", "template", "made"}`` a line, for all languages.
    """

    summary = "your own facts, as JSON Lines or Parquet"
    licence = "yours"
    needs_path = True

    def __init__(self, path: Path):
        self.path = path
        self._files: dict[str, Path] = {}
        for file in sorted(p for p in path.glob("facts-*") if p.suffix in (".jsonl", ".parquet")):
            lang = file.stem.removeprefix("facts-")
            if lang in self._files:
                raise FactrootsError(f"{file}: {self._files[lang].name} has language {lang} already; remove one")
            self._files[lang] = file
        if not self._files:
            raise FactrootsError(f"facts:{path}: no language in it; expected {path}/facts-<lang>.jsonl or .parquet")

    def languages(self) -> list[str]:
        return sorted(self._files)

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        if lang not in self._files:
            raise unknown("language", lang, self._files)
        file = self._files[lang]
        return read_parquet(file, problems) if file.suffix == ".parquet" else read_facts([file], LAYOUT, problems)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        templates, found = self._templates
        problems.found += [p for p in found.found if p not in problems.found]
        return [t for t in templates if t.lang == lang]

    @cached_property
    def _templates(self) -> tuple[list[Template], Problems]:
        found = Problems()
        return read_templates(self.path / FILE, found), found


def read_parquet(path: Path, problems: Problems) -> pa.Table:
    """The facts of a Parquet file, memory-mapped; bad rows are left out and reported by their number from 1.

    A file that is broken or lacks a column is one problem, and gives an empty table.
    """
    try:
        names = pq.read_schema(path).names
        lacking = [name for name in LAYOUT.fields if name not in names]
        if lacking:
            problems.add(path, 0, f"has no column {', '.join(lacking)}")
            return FULL.empty_table()
        schema = pa.schema([field for field in LAYOUT.schema if field.name in names])
        raw = read_table(path).select(schema.names).cast(schema)
        raw.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None):  # the system's own, such as a full disk: no fault of the file's
            raise FactrootsError(f"cannot read {path}: {error.strerror}") from error
        problems.add(path, 0, f"is no whole Parquet file of facts: {str(error).splitlines()[0]}")
        return FULL.empty_table()
    for field in LAYOUT.schema:
        if field.name not in names:
            raw = raw.append_column(field, pa.nulls(len(raw), field.type))
    table = drop_absent(to_schema(raw, path.stem, LAYOUT))
    if is_clean(table) and extras_clean(table):
        return table
    numbered = enumerate((row for batch in raw.to_batches() for row in batch.to_pylist()), 1)
    return keep_good(((path, number, row) for number, row in numbered), LAYOUT, problems)
