"""Every source of facts by name. Adding one is a class in a file of its own and a line here."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import Template

SOURCES = {
    "atlas": "data_builders.atlas:Atlas",
    "bmlama": "data_builders.bmlama:BMLama",
    "dlama": "data_builders.dlama:DLama",
    "facts": "data_builders.files:Files",
    "geomlama": "data_builders.geomlama:GeoMLama",
    "mlama": "data_builders.mlama:MLama",
    "xfactr": "data_builders.xfactr:XFactr",
}


class Source(Protocol):
    """What a source must offer. `path` is what stood after the colon; None for a source that needs no files."""

    summary: str
    licence: str
    needs_path: bool

    def __init__(self, path: Path | None): ...

    def languages(self) -> list[str]:
        """Languages this source has, sorted."""

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        """All facts of one language (:data:`data_builders.facts.SCHEMA`); bad rows are left out and reported."""

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        """All templates of one language, in the order in which they should be preferred."""


def source_class(name: str) -> type[Source]:
    """The class behind a source's name."""
    if name not in SOURCES:
        raise unknown("fact set", name, SOURCES)
    module, attribute = SOURCES[name].split(":")
    return getattr(import_module(module), attribute)


def home(name: str) -> Path:
    """Where a downloaded set lies when nobody says otherwise: under ``$FACTROOTS_HOME``, or the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("FACTROOTS_HOME") or Path(cache) / "factroots") / name


def open_source(name: str, path: str | None) -> Source:
    """The source, ready to read; refuses a missing or a needless path in one line."""
    cls = source_class(name)
    if not cls.needs_path:
        if path is not None:
            raise FactrootsError(f"fact set {name!r} takes no folder, got {path!r}")
        return cls(None)
    folder = home(name) if path is None else Path(path)
    if path is None and not folder.is_dir():
        raise FactrootsError(f"fact set {name!r} needs a folder: {name}:DIR")
    if not folder.is_dir():
        raise FactrootsError(f"fact set {name}:{path}: no such folder")
    return cls(folder)
