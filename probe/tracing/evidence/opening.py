"""The index that a question is put to: the corpus's own, or one that the user names."""

from __future__ import annotations

from pathlib import Path

from data_builders.corpora.built import Built
from data_builders.errors import FactrootsError
from data_builders.folder import read_json
from probe.tracing.evidence.foreign import Foreign
from probe.tracing.evidence.index import FILE, Kind, check, describe, ensure
from probe.tracing.evidence.search import Index


def of_corpus(corpus: Built, kind: Kind, progress) -> Index:
    """The corpus's index of a language, made if need be."""
    return Index(ensure(corpus, kind, progress))


def of_folder(folder: Path, kind: Kind, corpus: Built | None) -> Index | Foreign:
    """The index in a folder. Raises FactrootsError when there is none, and when one of ours is not what is asked for.

    With a corpus, an index of ours must be that corpus's.
    """
    if not folder.is_dir():
        raise FactrootsError(f"there is no index {folder}; leave --index out to have one made of the corpus")
    if not (folder / FILE).is_file():
        return Foreign(folder, kind.lang, kind.fold)
    if corpus is not None:
        check(folder, describe(corpus, kind))
    held = Kind(*(read_json(folder / FILE)[name] for name in Kind._fields))
    if held != kind:
        raise FactrootsError(f"{folder} is an index of {_said(held)}, not of {_said(kind)}; name another, or ask it so")
    return Index(folder)


def _said(kind: Kind) -> str:
    return f"{kind.lang} by {kind.unit}, fold={kind.fold}"
