"""A Lucene index of one language of a built corpus, which Pyserini opens like any other.

It is written by Lucene's own writer and not by Pyserini's, which gives all fields one analyzer and forgets the order of
the passages when it merges. Fields are Pyserini's ``id``, ``contents`` (read by the language's analyzer) and ``raw``,
and ``exact``, our tokens (:mod:`probe.tracing.evidence.tokens`); where no analyzer knows the language, ``contents`` are
our tokens. Document `i` is passage `i`, and ``documents.npy`` says which of the corpus's documents it is of.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_builders.corpora.built import Built
from data_builders.errors import FactrootsError
from data_builders.folder import lock, read_json, write_json
from probe.tracing.characters import fold
from probe.tracing.evidence.analyzers import ANALYZERS, TOKENS, analyzer
from probe.tracing.evidence.jvm import failure, java
from probe.tracing.evidence.lucene import directory, said, searcher
from probe.tracing.evidence.passages import Passage, passages
from probe.tracing.evidence.tokens import tokenise

SCHEMA_VERSION, FILE, DOCUMENTS = 1, "factroots.json", "documents.npy"
_BATCH, _BUFFER = 512, 256.0  # passages at a time, and MB that Lucene holds before it writes
_DOCUMENT, _INDEX = "org.apache.lucene.document.", "org.apache.lucene.index."


class Kind(NamedTuple):
    """What an index is of: the unit that a passage is, and the folding of names and text in its tokens."""

    lang: str
    unit: str = "sentence"
    fold: str = "exact"


def folder_of(corpus: Built, kind: Kind) -> Path:
    """``<corpus>/lucene/it``, or ``it-paragraph-case``."""
    parts = [part for part in (kind.unit, kind.fold) if part not in ("sentence", "exact")]
    return corpus.folder / "lucene" / "-".join([kind.lang, *parts])


def describe(corpus: Built, kind: Kind) -> dict:
    """Everything that decides an index's content."""
    return {
        "schema_version": SCHEMA_VERSION,
        **kind._asdict(),
        "analyzer": ANALYZERS.get(kind.lang, TOKENS),
        "sha256": corpus.sha256(kind.lang),
    }


def exact_field(about: dict) -> str:
    """The field that holds our tokens."""
    return "contents" if about["analyzer"] == TOKENS else "exact"


def ensure(corpus: Built, kind: Kind, progress) -> Path:
    """The folder of the index, which is made if it is not there.

    Raises FactrootsError when the folder holds the index of another corpus, is being written by another process, or
    Lucene took fewer passages than it was given.
    """
    folder, wanted = folder_of(corpus, kind), describe(corpus, kind)
    if (folder / FILE).is_file():
        check(folder, wanted)
        return folder
    with lock(folder.parent, "use another corpus"):
        if not (folder / FILE).is_file():
            part = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)  # a killed writer's
            part.mkdir()
            known = corpus.about["languages"][kind.lang]["sentences"] if kind.unit == "sentence" else 0
            progress.start(kind.lang, known)
            _write(part, wanted, passages(corpus, kind.lang, kind.unit), progress)
            part.replace(folder)
    return folder


def check(folder: Path, wanted: dict) -> None:
    """Raise FactrootsError unless the index in `folder` is the one that is `wanted`."""
    held = read_json(folder / FILE)
    differ = [key for key in wanted if held.get(key) != wanted[key]]
    if "sha256" in differ:
        raise FactrootsError(f"{folder} is the index of another corpus, or of its earlier text; remove it, or move it")
    if differ:
        raise FactrootsError(f"{folder} is another index (its {', '.join(differ)} differ); remove it, or move it")


def _write(folder: Path, about: dict, rows: Iterator[Passage], progress) -> None:
    documents: list[np.ndarray] = []
    try:
        with _writer(folder, about) as writer:
            add = _adder(writer, exact_field(about) == "exact")
            while batch := list(islice(rows, _BATCH)):
                exact = tokenise([fold(row.text, about["fold"]) for row in batch])
                for row, tokens in zip(batch, exact, strict=True):
                    add(row, tokens)
                documents.append(np.array([row.document for row in batch], np.int32))
                progress.advance(len(batch))
    except failure() as error:
        raise FactrootsError(f"the index {folder} cannot be written: {said(error)}") from error
    numbers = np.concatenate([*documents, np.empty(0, np.int32)])
    reader = searcher(folder).getIndexReader()
    held = reader.numDocs()
    reader.close()
    if held != len(numbers):
        raise FactrootsError(
            f"Lucene kept {held:,} of {len(numbers):,} passages of {about['lang']}; the same command makes them anew"
        )
    np.save(folder / DOCUMENTS, numbers)
    write_json(folder / FILE, about | {"passages": held, "factroots": version("factroots")}, sort_keys=True)


@contextmanager
def _writer(folder: Path, about: dict):
    """Lucene's writer; what an interruption leaves open would keep this process out of the folder."""
    place = directory(folder)
    writer = java(_INDEX + "IndexWriter")(place, _settings(about))
    try:
        yield writer
        writer.close()
    finally:
        writer.rollback()  # nothing, once it is closed
        place.close()


def _settings(about: dict):
    """Merges of neighbours only: passages stay in order."""
    fields = java("java.util.HashMap")()
    fields.put("exact", analyzer(TOKENS))
    by_field = java("org.apache.lucene.analysis.miscellaneous.PerFieldAnalyzerWrapper")
    settings = java(_INDEX + "IndexWriterConfig")(by_field(analyzer(about["analyzer"]), fields))
    settings.setRAMBufferSizeMB(_BUFFER)
    settings.setMergePolicy(java(_INDEX + "LogDocMergePolicy")())
    return settings


def _adder(writer, both: bool):
    """A function that adds a passage, one Java document being filled again and again."""
    stored = java(_DOCUMENT + "Field$Store")
    named = java(_DOCUMENT + "StringField")("id", "", stored.YES)
    order = java(_DOCUMENT + "BinaryDocValuesField")("id", java("org.apache.lucene.util.BytesRef")(b""))
    raw = java(_DOCUMENT + "StoredField")("raw", "")
    contents = java(_DOCUMENT + "TextField")("contents", "", stored.NO)
    exact = java(_DOCUMENT + "TextField")("exact", "", stored.NO)
    document = java(_DOCUMENT + "Document")()
    for field in (named, order, raw, contents, *([exact] if both else [])):
        document.add(field)
    encode = json.JSONEncoder(ensure_ascii=False).encode
    by_bytes = java("org.apache.lucene.util.BytesRef")

    def add(row: Passage, tokens: str) -> None:
        named.setStringValue(row.id)
        order.setBytesValue(by_bytes(row.id.encode()))
        value = {"id": row.id, "title": row.title, "contents": row.text}
        raw.setStringValue(encode(value))
        contents.setStringValue(row.text if both else tokens)
        exact.setStringValue(tokens)
        writer.addDocument(document)

    return add
