"""An index that the user has already: Pyserini's or Anserini's, with fields ``id``, ``contents`` and ``raw``."""

from __future__ import annotations

import json
from pathlib import Path

from data_builders.errors import FactrootsError
from probe.tracing.evidence import lucene
from probe.tracing.evidence.analyzers import ANALYZERS, ENGLISH, TOKENS, analyzer, short, words
from probe.tracing.evidence.asked import Asked
from probe.tracing.evidence.jvm import java
from probe.tracing.evidence.literal import together
from probe.tracing.evidence.search import Counts, Evidence, Hit, analyzed_count, places

_INDEX = "org.apache.lucene.index."
_FIELD = "contents"
_CHECKED = 2000  # passages that are read to see whether they hold both names literally
_TRIED = 20  # passages by which an analyzer is judged


class Foreign:
    """It does not say which analyzer made it, so that is found out: the one whose terms of its passages it has.

    Its counts are the analyzer's, which can differ from exact ones. Raises FactrootsError when there is no index, no
    field ``contents`` or no positions in it.
    """

    unit = "passage"

    def __init__(self, folder: Path, lang: str, fold: str = "exact"):
        self.fold = fold
        self._opened = lucene.searcher(folder)
        reader = self._opened.getIndexReader()
        self.passages = reader.numDocs()
        _need_positions(folder, reader)
        self._stored = self._opened.storedFields()
        tried = [path for path in (ANALYZERS.get(lang), ENGLISH, TOKENS) if path]
        fits = {path: self._fit(path) for path in dict.fromkeys(tried)}
        self._path = max(fits, key=fits.get)
        self.analyzer, self.fit = short(self._path), fits[self._path]

    def evidence(self, wanted: Asked, number: int) -> Evidence:
        """The best `number` of the passages that the analyzer finds both in.

        ``both`` counts those of them that hold both literally; None where they are too many to be read.
        """
        analysis = analyzer(self._path)
        found = analyzed_count(self._opened, analysis, wanted)
        alone = [self._count(analysis, names) for names in wanted[:2]]
        if not found:
            return Evidence("nowhere", Counts(*alone, 0, 0, found), [])
        sides = [_phrases(analysis, names) for names in wanted[:2]]
        query = lucene.all_of(map(lucene.any_of, sides), [part for side in sides for part in side])
        every = found <= _CHECKED
        hits = [self._hit(*hit, wanted) for hit in lucene.ranked(self._opened, query, found if every else number)]
        both = sum(together(hit.subject, hit.object) for hit in hits) if every else None
        return Evidence("passage", Counts(*alone, both, 0, found), hits[:number])

    def _count(self, analysis, names) -> int:
        return self._opened.count(lucene.any_of(_phrases(analysis, names)))

    def _hit(self, row: int, score: float, wanted: Asked) -> Hit:
        id_, title, text = self._read(row)
        return Hit(id_, title, text, score, *places(text, self.fold, wanted))

    def _read(self, row: int) -> tuple[str, str, str]:
        """The id, title and text of a document; a text that is not stored is empty."""
        document = self._stored.document(row)
        raw, id_ = document.get("raw") or document.get(_FIELD) or "", document.get("id") or str(row)
        try:
            value = json.loads(raw)
        except json.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            return id_, "", raw
        return id_, str(value.get("title") or ""), str(value.get(_FIELD) or "")

    def _fit(self, path: str) -> float:
        """The share of an analyzer's terms of some passages that the index has; 1 where it stores no text."""
        reader, known, total = self._opened.getIndexReader(), 0, 0
        for row in range(0, self.passages, max(1, self.passages // _TRIED)):
            for term in set(words(analyzer(path), self._read(row)[2])):
                known += reader.docFreq(java(_INDEX + "Term")(_FIELD, term)) > 0
                total += 1
        return known / total if total else 1.0


def _phrases(analysis, names) -> list:
    queries = (lucene.analyzed_query(_FIELD, analysis, name, phrase=True) for name in names)
    return [query for query in queries if query is not None]


def _need_positions(folder: Path, reader) -> None:
    field = java(_INDEX + "FieldInfos").getMergedFieldInfos(reader).fieldInfo(_FIELD)
    if field is None:
        raise FactrootsError(f"the index {folder} has no field {_FIELD!r}; make it with Pyserini, or leave --index out")
    if "POSITIONS" not in field.getIndexOptions().name():
        raise FactrootsError(f"the index {folder} has no positions; make it with --storePositions")
