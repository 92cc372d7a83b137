"""Plain text, a document a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from data_builders.corpora.by_language import ByLanguage
from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.corpora.sources import Parameter
from data_builders.errors import FactrootsError

_WIDE = (b"\xff\xfe", b"\xfe\xff")  # how UTF-16 and UTF-32 begin


class Text(ByLanguage):
    """``DIR/<lang>.txt`` or one file: each line is a document, of one sentence or of one paragraph to be split."""

    summary = "plain text, a sentence (or a paragraph) a line"
    layout = "DIR"
    parameters: ClassVar = {"line": Parameter("sentence", ("sentence", "paragraph"))}
    kind, ending = "text", ".txt"

    def __init__(self, path: Path, line: str):
        super().__init__(path)
        self._whole = line == "sentence"

    def rows(self, lang: str, faults: Faults) -> Iterator[Document]:
        """Documents named by the numbers of their lines, from 1."""
        (path,) = self.files(lang)
        with open(path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if number == 1:
                    line = _beginning(path, line)
                text = decoded(line, path, number, faults)
                if text is None:
                    continue
                if not text.strip():
                    faults.add("blank")
                    continue
                yield Document(str(number), "", None, [[text] if self._whole else text], 1)

    def document(self, row: Document, faults: Faults) -> Document:
        return row


def decoded(line: bytes, path: Path, number: int, faults: Faults) -> str | None:
    """A line as text; None, and a fault, where it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        faults.add("encoding", f"{path.name}:{number}", f"is not UTF-8 at byte {error.start + 1}")
        return None


def _beginning(path: Path, line: bytes) -> bytes:
    if line.startswith(_WIDE):
        raise FactrootsError(f"{path} is UTF-16 or UTF-32; convert it first: iconv -f UTF-16 -t UTF-8")
    return line.removeprefix(b"\xef\xbb\xbf")
