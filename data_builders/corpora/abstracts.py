"""Wikipedia's abstract dumps, which were made until 2024."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from data_builders.corpora.dump_files import DumpFiles
from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.corpora.xml_stream import records

_WANTED = frozenset(("title", "url", "abstract"))


class Abstracts(DumpFiles):
    """``<lang>wiki-*-abstract*.xml`` (.gz), in a folder or one file: the first lines of every article, as published.

    A document's id is its address. Titles are without "Wikipedia: "; the published abstracts hold some markup.
    """

    summary = "Wikipedia's abstract dumps"
    layout = "DIR"
    parameters: ClassVar = {}
    kind, ending = "abstracts", "-abstract"

    def rows(self, lang: str, faults: Faults) -> Iterator[Document]:
        for path in self.files(lang):
            for doc in records(path, "doc", _WANTED, faults):
                title = doc.get("title", "").partition(": ")
                yield Document(doc.get("url", ""), title[2] or title[0], None, [doc.get("abstract", "")], 1)

    def document(self, row: Document, faults: Faults) -> Document:
        return row
