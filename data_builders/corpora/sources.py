"""Every kind of corpus by name. Adding one is a class in a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from data_builders.corpora.faults import Faults
from data_builders.corpora.passages import Document
from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec

CORPORA = {
    "jsonl": "data_builders.corpora.jsonl:JsonLines",
    "text": "data_builders.corpora.text:Text",
    "world": "data_builders.corpora.planted:World",
}


class Reader(Protocol):
    """What a kind of corpus must offer; it holds no more in memory than a document.

    `path` is what stood after the colon, and the fields that ``parameters`` names (with their choices, the first being
    the default; none for free text) are given by keyword. Raises FactrootsError when there is nothing of its kind.
    """

    summary: str
    layout: str  # how its path is spelled, as DIR
    parameters: dict[str, tuple[str, ...]]

    def __init__(self, path: Path, **parameters: str): ...

    def languages(self) -> list[str]:
        """Languages that are there, sorted; empty for a single file, whose language has to be said."""

    def files(self, lang: str) -> list[Path]:
        """What a language is read from, in order; raises FactrootsError when there is none of it."""

    def rows(self, lang: str, faults: Faults) -> Iterator:
        """Everything that becomes a document, as cheaply as it can be read: a resumed build passes over what is done.

        Two readings give the same rows and the same faults.
        """

    def document(self, row, faults: Faults) -> Document:
        """The document of one row."""


class Source(NamedTuple):
    """A corpus to be read: its canonical text without folders, the same on every machine, and its reader."""

    portable: str
    reader: Reader


def reader_class(name: str) -> type[Reader]:
    """The class behind a kind's name."""
    if name not in CORPORA:
        raise unknown("kind of corpus", name, CORPORA)
    module, attribute = CORPORA[name].split(":")
    return getattr(import_module(module), attribute)


def open_source(text: str) -> Source:
    """The corpus that ``name:path(key=value)`` stands for; refuses a bad spelling or a missing path in one line."""
    spec = Spec.parse(text)
    cls = reader_class(spec.name)
    if spec.path is None:
        raise FactrootsError(f"corpus {spec.name!r} needs a path: {spec.name}:{cls.layout}")
    values = {name: choices[0] for name, choices in cls.parameters.items() if choices}
    for key, value in spec.args:
        if key not in cls.parameters:
            known = ", ".join(cls.parameters) or "none"
            raise FactrootsError(f"corpus {spec.name!r} has no parameter {key!r}; it has: {known}")
        if len(value) != 1 or (cls.parameters[key] and value[0] not in cls.parameters[key]):
            choices = " or ".join(f"{key}={choice}" for choice in cls.parameters[key]) or f"{key}=VALUE"
            raise FactrootsError(f"corpus {spec.name!r} takes {choices}, got {key}={';'.join(value)}")
        values[key] = value[0]
    written = tuple((k, (v,)) for k, v in values.items() if not cls.parameters[k] or v != cls.parameters[k][0])
    return Source(str(Spec(spec.name, None, written)), cls(Path(spec.path), **values))


def documents(reader: Reader, lang: str, faults: Faults) -> Iterator[Document]:
    """All documents of a language."""
    return (reader.document(row, faults) for row in reader.rows(lang, faults))
