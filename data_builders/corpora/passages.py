"""The one form of a corpus: documents, and their text in passages, a row a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

#: What says what a built corpus is made of; it stands in the corpus's folder, beside the tables.
FILE = "corpus.json"

#: Of a corpus in one language, one row a document, in the order read. ``lead`` is the UTF-8 length of its abstract (the
#: text before the first heading), ``bytes`` of all its text.
DOCUMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("qid", pa.string()),
        ("lead", pa.int64()),
        ("bytes", pa.int64()),
    ]
)

#: One row a sentence, in reading order: the number of its document (the row in the documents' table), of its paragraph
#: in the document and of itself in the paragraph, all from 0, and whether it belongs to the abstract. ``text`` holds no
#: line break.
PASSAGES = pa.schema(
    [
        ("document", pa.int32()),
        ("paragraph", pa.int32()),
        ("sentence", pa.int32()),
        ("lead", pa.bool_()),
        ("text", pa.string()),
    ]
)


class Document(NamedTuple):
    """What a reader gives: paragraphs of plain text, a paragraph being text to split, or the sentences themselves.

    The first `lead` paragraphs are the abstract. ``qid`` is the Wikidata item that the document is about, where known.
    """

    id: str
    title: str
    qid: str | None
    paragraphs: Sequence[str | Sequence[str]]
    lead: int
