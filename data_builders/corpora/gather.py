"""Documents in hand, split into sentences, on their way to a part."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.corpora.passages import DOCUMENTS, PASSAGES, Document
from data_builders.corpora.sentences import Split


class Gathered:
    """The rows of the next part. Whitespace is collapsed, and what is then empty left out; the numbers of paragraphs
    and sentences count what is kept. `first` is the number of the first document, ``size`` how many characters there
    are."""

    def __init__(self, first: int, split: Split):
        self.first, self.split, self.size = first, split, 0
        self.documents: list[tuple[str, str, str | None]] = []
        self.numbers = array("i")  # three a passage: document, paragraph, sentence
        self.leads = array("b")
        self.texts: list[str] = []

    def add(self, document: Document) -> bool:
        """Add a document; False, and nothing is added, when it has no text."""
        number, kept = self.first + len(self.documents), 0
        for place, paragraph in enumerate(document.paragraphs):
            texts = self.split(paragraph) if isinstance(paragraph, str) else _collapsed(paragraph)
            for order, text in enumerate(texts):
                self.numbers.extend((number, kept, order))
                self.size += len(text)
            self.leads.extend([place < document.lead] * len(texts))
            self.texts += texts
            kept += bool(texts)
        if not kept:
            return False
        self.documents.append((document.id, document.title, document.qid))
        return True

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Documents and passages."""
        numbers = np.frombuffer(self.numbers, np.int32).reshape(-1, 3) if self.numbers else np.zeros((0, 3), np.int32)
        leads = np.array(self.leads, bool)
        texts = pa.array(self.texts, pa.string())
        lengths, own = np.asarray(pc.binary_length(texts)), numbers[:, 0] - self.first
        sizes = (np.bincount(own, w, len(self.documents)).astype(np.int64) for w in (lengths * leads, lengths))
        names = zip(*self.documents, strict=True) if self.documents else [()] * 3
        documents = [*(pa.array(column, pa.string()) for column in names), *map(pa.array, sizes)]
        passages = [*(pa.array(column) for column in numbers.T.copy()), pa.array(leads), texts]
        return pa.table(documents, schema=DOCUMENTS), pa.table(passages, schema=PASSAGES)


def _collapsed(sentences: Iterable[str]) -> list[str]:
    return [text for text in (" ".join(sentence.split()) for sentence in sentences) if text]
