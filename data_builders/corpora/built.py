"""A built corpus, opened for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.corpora.build import SCHEMA_VERSION
from data_builders.corpora.passages import FILE
from data_builders.errors import FactrootsError, unknown
from data_builders.folder import read_json


@dataclass(frozen=True)
class Built:
    """The folder of a built corpus and what ``corpus.json`` says of it; no more than a block is held in memory."""

    folder: Path
    langs: tuple[str, ...]
    about: dict

    def sha256(self, lang: str) -> str:
        """The hash over all documents and passages of a language."""
        return self.about_language(lang)["sha256"]

    def documents(self, lang: str) -> pa.Table:
        """The documents (:data:`data_builders.corpora.passages.DOCUMENTS`)."""
        return pq.read_table(self._file("documents", lang))

    def blocks(self, lang: str, columns: Sequence[str] | None = None, rows: int = 65536) -> Iterator[pa.RecordBatch]:
        """The passages in reading order (``PASSAGES``, or some of its columns), at most `rows` at a time."""
        with pq.ParquetFile(self._file("passages", lang)) as file:
            yield from file.iter_batches(rows, columns=None if columns is None else list(columns))

    def about_language(self, lang: str) -> dict:
        """What ``corpus.json`` says of a language: counts, sizes, faults, files."""
        if lang not in self.langs:
            raise unknown("language", lang, self.langs)
        return self.about["languages"][lang]

    def _file(self, name: str, lang: str) -> Path:
        self.about_language(lang)
        return self.folder / f"{name}-{lang}.parquet"


def open_built(path: Path | str) -> Built:
    """The corpus in the folder `path`. Raises FactrootsError when there is none, or none that is finished."""
    folder = Path(path)
    if not (folder / FILE).is_file():
        raise FactrootsError(f"{folder} holds no built corpus (no {FILE}); make one with `probe corpus build`")
    about = read_json(folder / FILE)
    if about.get("schema_version") != SCHEMA_VERSION:
        raise FactrootsError(f"{folder} was built by another version of factroots; build it anew in another folder")
    missing = [lang for lang in about["wanted"] if lang not in about["languages"]]
    if missing:
        raise FactrootsError(
            f"{folder} is not finished ({', '.join(missing)} missing); the same `probe corpus build` goes on from there"
        )
    langs = tuple(about["wanted"])
    for name in (f"{kind}-{lang}.parquet" for lang in langs for kind in ("documents", "passages")):
        if not (folder / name).is_file():
            raise FactrootsError(f"{folder} lacks {name}; build the corpus anew in another folder")
    return Built(folder, langs, about)
