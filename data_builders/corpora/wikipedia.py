"""The layout of wikimedia/wikipedia: articles as plain text in Parquet, from local files or streamed from a hub."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.errors import FactrootsError, unknown

COLUMNS = ("id", "title", "text")
_FOLDER = re.compile(r"(?P<date>\d{8})\.(?P<lang>[a-z][a-z-]*)")
_BATCH = 256  # articles read at a time
_ENDINGS = ".!?。！？։।۔؟…:;,،、)\"'”»"
_HEADING = 100  # characters, at most


class Wikipedia:
    """``PATH/<date>.<lang>/train-*.parquet``, or one such folder: columns id, url, title and text.

    Headings stand in the text as lines of their own and are recognised as such (see :func:`paragraphs`).
    """

    summary = "wikimedia/wikipedia as downloaded: Parquet files"
    layout = "DIR"
    parameters: ClassVar = {}

    def __init__(self, path: Path):
        if not path.is_dir():
            raise FactrootsError(f"wikipedia:{path}: no such folder")
        found = defaultdict(list)
        for folder in [path, *sorted(path.iterdir())]:
            if (match := _FOLDER.fullmatch(folder.name)) and (files := sorted(folder.glob("*.parquet"))):
                found[match["lang"]].append(files)
        for lang, folders in found.items():
            if len(folders) > 1:
                names = ", ".join(files[0].parent.name for files in folders)
                raise FactrootsError(f"wikipedia:{path} holds {lang} of several dates ({names}); name one of them")
        if not found:
            raise FactrootsError(f"wikipedia:{path}: nothing in it; expected {path}/<date>.<lang>/train-*.parquet")
        self._files = {lang: folders[0] for lang, folders in found.items()}

    def languages(self) -> list[str]:
        return sorted(self._files)

    def files(self, lang: str) -> list[Path]:
        if lang not in self._files:
            raise unknown("language", lang, self._files)
        return self._files[lang]

    def rows(self, lang: str, faults: Faults) -> Iterator[dict]:
        """Rows as dictionaries of :data:`COLUMNS`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in self.files(lang):
            try:
                with pq.ParquetFile(path) as file:
                    if missing := set(COLUMNS) - set(file.schema_arrow.names):
                        faults.add("row", path.name, f"has no column {', '.join(sorted(missing))}")
                        continue
                    for batch in file.iter_batches(_BATCH, columns=list(COLUMNS)):
                        yield from batch.to_pylist()
            except (pa.ArrowException, OSError) as error:
                if getattr(error, "errno", None):
                    raise
                faults.add("truncated", path.name, f"is no whole Parquet file: {str(error).splitlines()[0]}")

    def document(self, row: dict, faults: Faults) -> Document:
        return article(row)


def article(row: dict) -> Document:
    """The document of one row."""
    found, lead = paragraphs(row["text"] or "")
    return Document(str(row["id"]), row["title"] or "", None, found, lead)


def paragraphs(text: str) -> tuple[list[str], int]:
    """The paragraphs of an article as this data set writes it, and how many of them come before its first heading.

    Its headings have lost their marks: a short line between blank lines, neither first nor last, that does not end as
    a sentence does, is taken for one.
    """
    lines: Iterable[str] = text.split("\n")
    lines = [line.strip() for line in lines]
    found, lead = [], None
    last = max((place for place, line in enumerate(lines) if line), default=0)
    for place, line in enumerate(lines):
        alone = place and not lines[place - 1] and len(line) <= _HEADING and line[-1:] not in _ENDINGS
        if line and found and alone and place < last:
            lead = len(found) if lead is None else lead
        elif line:
            found.append(line)
    return found, len(found) if lead is None else lead
