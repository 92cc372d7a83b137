"""How large a corpus is in each language: what Zhao et al. (2024, arXiv 2403.05189) correlate P@1 with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from data_builders.corpora.built import open_built
from data_builders.corpora.faults import Faults
from data_builders.corpora.sources import documents, open_source


class Size(NamedTuple):
    """Documents with text, the UTF-8 bytes of all of it, and of the abstracts; and what was wrong with the input."""

    documents: int
    bytes: int
    lead: int
    faults: dict[str, int]


def sizes(corpus: str, langs: Sequence[str] | None = None) -> dict[str, Size]:
    """Sizes by language, of a built corpus (a folder) or of a source, which is read through without splitting it.

    Both give the same numbers but for spaces between sentences, which a built corpus does not hold.
    """
    if Path(corpus).is_dir():
        built = open_built(corpus)
        about = {lang: built.about_language(lang) for lang in langs or built.langs}
        return {lang: Size(a["documents"], a["bytes"], a["lead"], a["faults"]) for lang, a in about.items()}
    reader = open_source(corpus).reader
    return {lang: _size(reader, lang) for lang in langs or reader.languages()}


def _size(reader, lang: str) -> Size:
    faults, count, total, lead = Faults(), 0, 0, 0
    for document in documents(reader, lang, faults):
        lengths = [_length(paragraph) for paragraph in document.paragraphs]
        count += any(lengths)
        total += sum(lengths)
        lead += sum(lengths[: document.lead])
    return Size(count, total, lead, faults.counts)


def _length(paragraph: str | Sequence[str]) -> int:
    sentences = [paragraph] if isinstance(paragraph, str) else paragraph
    return sum(len(" ".join(sentence.split()).encode()) for sentence in sentences)
