"""Documents in hand, split into sentences, on their way to a part."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from data_builders.corpora.passages import DOCUMENTS, PASSAGES, Document

Split = Callable[[str], list[str]]


class Gathered:
    """The rows of the next part. Whitespace is collapsed, and what is then empty left out; the numbers of paragraphs
    and sentences count what is kept. `first` is the number of the first document."""

    def __init__(self, first: int, split: Split):
        self.first, self.split, self.size = first, split, 0
        self.documents: list[tuple] = []
        self.passages: list[tuple] = []

    def add(self, document: Document) -> bool:
        """Add a document; False, and nothing is added, when it has no text."""
        number, size, lead, kept, before = self.first + len(self.documents), 0, 0, 0, len(self.passages)
        for place, paragraph in enumerate(document.paragraphs):
            texts = self.split(paragraph) if isinstance(paragraph, str) else _collapsed(paragraph)
            in_lead = place < document.lead
            for order, text in enumerate(texts):
                self.passages.append((number, kept, order, in_lead, text))
                length = len(text.encode())
                size += length
                lead += length * in_lead
            kept += bool(texts)
        if len(self.passages) == before:
            return False
        self.documents.append((document.id, document.title, document.qid, lead, size))
        self.size += size
        return True

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Documents and passages."""
        return _table(self.documents, DOCUMENTS), _table(self.passages, PASSAGES)


def _collapsed(sentences: Iterable[str]) -> list[str]:
    return [text for text in (" ".join(sentence.split()) for sentence in sentences) if text]


def _table(rows: list[tuple], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
