"""wikimedia/wikipedia, or a data set in its layout, streamed from a hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.corpora.sources import Parameter
from data_builders.corpora.wikipedia import COLUMNS, article
from data_builders.errors import FactrootsError, unknown


class Hub:
    """``hub:wikimedia/wikipedia(date=20231101)``: a configuration ``<date>.<lang>`` a language, streamed through
    `datasets` at a fixed revision, which is part of the corpus's canonical text."""

    summary = "wikimedia/wikipedia streamed from a hub"
    layout = "NAME"
    parameters: ClassVar = {
        "date": Parameter("20231101"),
        "revision": Parameter("b04c8d1ceb2f5cd4588862100d08de323dccfbaa"),
    }

    def __init__(self, path: Path, date: str, revision: str):
        self.name, self.date, self.revision = path.as_posix(), date, revision

    def languages(self) -> list[str]:
        import datasets

        with self._plainly():
            names = datasets.get_dataset_config_names(self.name, revision=self.revision)
        return sorted(name.partition(".")[2] for name in names if name.startswith(f"{self.date}."))

    def files(self, lang: str) -> list[Path]:
        """None: the revision says what is read."""
        if lang not in (known := self.languages()):
            raise unknown("language", lang, known)
        return []

    def rows(self, lang: str, faults: Faults) -> Iterator[dict]:
        import datasets

        with self._plainly():
            stream = datasets.load_dataset(
                self.name, f"{self.date}.{lang}", split="train", streaming=True, revision=self.revision
            )
            yield from stream.select_columns(list(COLUMNS))

    def document(self, row: dict, faults: Faults) -> Document:
        return article(row)

    @contextmanager
    def _plainly(self):
        """Say in one line that there is no network, no such data set or no such revision."""
        try:
            yield
        except (OSError, ValueError) as error:  # what datasets and its hub raise are kinds of these
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise FactrootsError(
                f"cannot read {self.name} from the hub: {reason}; what was read is kept, the same command goes on; or "
                f"download it and name the folder as wikipedia:DIR"
            ) from error
