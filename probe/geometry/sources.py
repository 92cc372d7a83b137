"""Text by language that a user names: a folder, a pattern of files, a built corpus, or the planted world."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from glob import escape, glob
from pathlib import Path
from typing import NamedTuple

from data_builders.corpora.passages import FILE
from data_builders.errors import FactrootsError, unknown
from fine_tuning.training.documents import Text, of_corpus, of_file
from probe.tracing.corpora import open_corpus

#: What a file's name says its language is.
SLOT = "{lang}"


class Source(NamedTuple):
    """``name``: no path of this machine; ``of``: a language's text, whose documents may be of several lines."""

    name: str
    langs: tuple[str, ...]
    of: Callable[[str], Text]


def open_text(text: str, quiet: bool = False) -> Source:
    """``planted``, a built corpus' folder, a folder of ``<lang>.txt``, or a pattern as ``ntrex/ref.{lang}.txt``.

    Raises FactrootsError where there is none of them.
    """
    path = Path(text)
    if text == "planted" or (path / FILE).is_file():
        corpus = open_corpus(text, quiet)
        return Source(corpus.about["source"], corpus.langs, partial(of_corpus, corpus))
    pattern = text if SLOT in text else str(path / f"{SLOT}.txt")
    files = _files(pattern)
    if not files:
        raise FactrootsError(
            f"--text {text}: no file {pattern}; give a folder of <lang>.txt, a pattern with {SLOT}, a built corpus' "
            "folder (probe corpus build), or planted"
        )
    return Source(path.name, tuple(files), partial(_of, files))


def _files(pattern: str) -> dict[str, Path]:
    """Files by language, sorted."""
    first, *others = map(re.escape, pattern.split(SLOT))
    shape = re.compile(first + "(?P<lang>[^/]+)" + "(?P=lang)".join(others))
    found = glob("*".join(map(escape, pattern.split(SLOT))))  # noqa: PTH207 (Path.glob takes no absolute pattern)
    return {match["lang"]: Path(name) for name in sorted(found) if (match := shape.fullmatch(name))}


def _of(files: dict[str, Path], lang: str) -> Text:
    if lang not in files:
        raise unknown("language", lang, files)
    return of_file(files[lang], lang)


def lines(text: Text) -> Iterator[str]:
    """A text's lines, sentences or paragraphs as it has them, none blank."""
    for document in text.documents:
        yield from (line.strip() for line in document.split("\n") if line.strip())
