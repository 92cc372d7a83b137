"""What is indexed of a corpus: its sentences or its paragraphs, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from data_builders.corpora.built import Built


class Passage(NamedTuple):
    """``id`` is ``<document>.<paragraph>.<sentence>`` (``<document>.<paragraph>`` of a paragraph), from 0.

    The sentences of a paragraph stand a line each, so that no name goes over the end of one.
    """

    id: str
    document: int
    title: str
    text: str


def passages(corpus: Built, lang: str, unit: str) -> Iterator[Passage]:
    """The passages of a language."""
    titles = corpus.documents(lang)["title"]
    rows = _rows(corpus, lang)
    if unit == "sentence":
        for document, paragraph, sentence, text in rows:
            yield Passage(f"{document}.{paragraph}.{sentence}", document, titles[document].as_py(), text)
        return
    for (document, paragraph), group in groupby(rows, key=lambda row: row[:2]):
        text = "\n".join(row[3] for row in group)
        yield Passage(f"{document}.{paragraph}", document, titles[document].as_py(), text)


def _rows(corpus: Built, lang: str) -> Iterator[tuple[int, int, int, str]]:
    for block in corpus.blocks(lang, ["document", "paragraph", "sentence", "text"]):
        yield from zip(*(block[name].to_pylist() for name in block.schema.names), strict=True)
