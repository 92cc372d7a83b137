"""Where text of a language comes from: a built corpus, or a file; as documents, one at a time."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from data_builders.corpora.built import Built
from data_builders.errors import FactrootsError

#: Written without spaces between sentences.
_UNSPACED = frozenset({"bo", "dz", "ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})


class Text(NamedTuple):
    """Documents of a language, each a string, and what they are, for ``variant.json``."""

    documents: Iterable[str]
    about: dict


def of_corpus(corpus: Built, lang: str) -> Text:
    """A language of a built corpus. Raises FactrootsError, listing those that it has, where it lacks it."""
    if lang not in corpus.langs:
        raise FactrootsError(
            f"the corpus {corpus.about['source']} has no text in {lang}; it has {', '.join(corpus.langs)}"
        )
    return Text(
        _documents(corpus, lang), {"corpus": corpus.about["source"], "lang": lang, "sha256": corpus.sha256(lang)}
    )


def of_file(path: Path, lang: str | None) -> Text:
    """A UTF-8 text file, a document a line, blank lines left out. Raises FactrootsError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FactrootsError(f"--text {path}: {error.strerror}") from error
    return Text(_lines(path), {"text": path.name, "lang": lang, "sha256": sha256})


def _lines(path: Path) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            yield from (line.strip() for line in file if line.strip())
    except UnicodeDecodeError as error:
        raise FactrootsError(
            f"--text {path} is not UTF-8 ({error.reason}); convert it first: iconv -t UTF-8"
        ) from error


def _documents(corpus: Built, lang: str) -> Iterator[str]:
    """Each document's sentences as running text, its paragraphs on lines of their own."""
    between, columns = "" if lang.partition("_")[0] in _UNSPACED else " ", ("document", "paragraph", "text")
    rows = (row for block in corpus.blocks(lang, columns) for row in zip(*(c.to_pylist() for c in block), strict=True))
    for _, document in itertools.groupby(rows, key=lambda row: row[0]):
        paragraphs = itertools.groupby(document, key=lambda row: row[1])
        yield "\n".join(between.join(text for *_, text in sentences) for _, sentences in paragraphs)
