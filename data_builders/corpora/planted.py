"""The planted world as a corpus, whose sentences are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.errors import FactrootsError, unknown
from data_builders.planted.articles import Article
from data_builders.planted.world import read_about, read_articles


class World:
    """The folder that ``probe demo world DIR`` writes; an article's ``qid`` is the URI of what it is about."""

    summary = "the planted world that `probe demo world DIR` writes"
    layout = "DIR"
    parameters: ClassVar = {}

    def __init__(self, path: Path):
        self.path = path
        self._langs = sorted(read_about(path)["languages"])

    def languages(self) -> list[str]:
        return self._langs

    def files(self, lang: str) -> list[Path]:
        if lang not in self._langs:
            raise unknown("language", lang, self._langs)
        if not (path := self.path / f"articles-{lang}.jsonl").is_file():
            raise FactrootsError(f"{path} is missing; write the world anew: probe demo world DIR")
        return [path]

    def rows(self, lang: str, faults: Faults) -> Iterator[Article]:
        try:
            yield from read_articles(self.path, lang)
        except (ValueError, KeyError) as error:
            (path,) = self.files(lang)
            raise FactrootsError(f"{path} is broken ({error}); write the world anew: probe demo world DIR") from error

    def document(self, row: Article, faults: Faults) -> Document:
        """It has no headings, so all of it is the abstract."""
        paragraphs = [[sentence.text for sentence in paragraph] for paragraph in row.paragraphs]
        return Document(row.id, row.title, row.uri, paragraphs, len(paragraphs))
