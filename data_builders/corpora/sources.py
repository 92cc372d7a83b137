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
    "abstracts": "data_builders.corpora.abstracts:Abstracts",
    "dump": "data_builders.corpora.dump:Dump",
    "hub": "data_builders.corpora.hub:Hub",
    "jsonl": "data_builders.corpora.jsonl:JsonLines",
    "text": "data_builders.corpora.text:Text",
    "wikipedia": "data_builders.corpora.wikipedia:Wikipedia",
    "world": "data_builders.corpora.planted:World",
}


class Parameter(NamedTuple):
    """What a parameter is when it is not given, and what it may be; anything, if there are no choices."""

    default: str
    choices: tuple[str, ...] = ()


class Reader(Protocol):
    """What a kind of corpus must offer; it holds no more in memory than a document.

    `path` is what stood after the colon; what ``parameters`` names is given by keyword. Raises FactrootsError when
    there is nothing of its kind.
    """

    summary: str
    layout: str  # how its path is spelled: DIR, or NAME where it is no path of this machine
    parameters: dict[str, Parameter]

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
    values = {name: parameter.default for name, parameter in cls.parameters.items()}
    for key, value in spec.args:
        if key not in cls.parameters:
            raise unknown(f"parameter of {spec.name}", key, cls.parameters)
        choices = cls.parameters[key].choices
        if len(value) != 1 or (choices and value[0] not in choices):
            expected = " or ".join(f"{key}={choice}" for choice in choices or ("VALUE",))
            raise FactrootsError(f"corpus {spec.name!r} takes {expected}, got {key}={';'.join(value)}")
        values[key] = value[0]
    written = ((k, (v,)) for k, v in values.items() if not cls.parameters[k].choices or v != cls.parameters[k].default)
    named = spec.path if cls.layout == "NAME" else None
    return Source(str(Spec(spec.name, named, tuple(written))), cls(Path(spec.path), **values))


def documents(reader: Reader, lang: str, faults: Faults) -> Iterator[Document]:
    """All documents of a language."""
    return (reader.document(row, faults) for row in reader.rows(lang, faults))
