"""The passages that hold both names of a fact: exactly, in any number, ranked, and with their places."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from data_builders.folder import read_json
from probe.tracing.characters import fold
from probe.tracing.evidence import lucene
from probe.tracing.evidence.analyzers import TOKENS, analyzer, short
from probe.tracing.evidence.asked import Asked
from probe.tracing.evidence.index import DOCUMENTS, FILE, exact_field
from probe.tracing.evidence.literal import folded, original, spans, together
from probe.tracing.evidence.tokens import phrase

Span = tuple[int, int]
_NESTED = 200  # longer names that Lucene is asked to leave out of one; where there are more, the texts are read


class Hit(NamedTuple):
    """A passage: where it stands, its text, and the characters of it [start, stop) at which each name stands."""

    id: str
    title: str
    text: str
    score: float
    subject: tuple[Span, ...]
    object: tuple[Span, ...]


class Counts(NamedTuple):
    """Numbers of passages that hold the subject, the object, and both; ``documents`` hold them in different passages.

    ``analyzed``: how many the analyzer finds both in; None where it can look for neither or there is none.
    """

    subject: int
    object: int
    both: int
    documents: int
    analyzed: int | None


class Evidence(NamedTuple):
    """``together``: ``passage`` (each hit holds both), ``document`` (hits of one hold both) or ``nowhere``."""

    together: str
    counts: Counts
    hits: list[Hit]


class Index:
    """An index of ours. Rows are its passages, in the corpus's order. Raises FactrootsError for a damaged one."""

    fit = None  # which analyzer made it is known

    def __init__(self, folder: Path):
        self.about = read_json(folder / FILE)
        self.fold, self.unit, self.passages = self.about["fold"], self.about["unit"], self.about["passages"]
        self._opened = lucene.searcher(folder)
        self._field = exact_field(self.about)
        try:
            self._documents = np.load(folder / DOCUMENTS, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise FactrootsError(f"{folder / DOCUMENTS} cannot be read ({error}); remove {folder}") from error
        self._stored = self._opened.storedFields()

    @property
    def analyzer(self) -> str | None:
        """The analyzer of the language, or None where our tokens serve instead."""
        return None if self.about["analyzer"] == TOKENS else short(self.about["analyzer"])

    def holding(self, names: Sequence[str], longer: Sequence[str] = ()) -> np.ndarray:
        """Which rows hold one of the folded `names` outside the `longer` ones that stand there, bool [rows]."""
        found = np.zeros(len(self._documents), bool)
        for name in names:
            hiding = [other for other in longer if other != name and name in other]
            if not hiding:
                found |= self._matching(self._exact([name]))
            elif len(hiding) <= _NESTED and phrase(name).tokens:
                found |= self._matching(lucene.outside_query(self._field, phrase(name), map(phrase, hiding)))
            else:
                found |= self._read(name, hiding, found)
        return found

    def _read(self, name: str, hiding: Sequence[str], known: np.ndarray) -> np.ndarray:
        """The same for one name by reading the rows that hold it, but those `known` to hold another of its thing."""
        rows = self._matching(self._exact([name])) & ~known
        for row in np.flatnonzero(rows).tolist():
            rows[row] = bool(mentions([name], hiding, self._text(row)))
        return rows

    def count(self, names: Sequence[str], longer: Sequence[str] = ()) -> int:
        """How many rows hold one of the names."""
        return int(self.holding(names, longer).sum())

    def both(self, wanted: Asked) -> np.ndarray:
        """Which rows hold subject and object, bool [rows]: as many as the streaming pass counts."""
        return self._meeting(wanted, *self._sides(wanted))

    def evidence(self, wanted: Asked, number: int) -> Evidence:
        """The best `number` passages that hold both; if none does, passages of documents that do."""
        subject, object_ = self._sides(wanted)
        rows = self._meeting(wanted, subject, object_)
        counts = Counts(int(subject.sum()), int(object_.sum()), int(rows.sum()), 0, self._analyzed(wanted))
        if counts.both:
            return Evidence("passage", counts, [self._hit(*best, wanted) for best in self._best(wanted, rows, number)])
        shown, documents = self._apart(subject, object_, number)
        together = "document" if documents else "nowhere"
        return Evidence(together, counts._replace(documents=documents), [self._hit(r, 0.0, wanted) for r in shown])

    def _sides(self, wanted: Asked) -> list[np.ndarray]:
        return [self.holding(side, wanted.longer) for side in wanted[:2]]

    def _meeting(self, wanted: Asked, subject: np.ndarray, object_: np.ndarray) -> np.ndarray:
        """Rows that hold both in more than one mention."""
        rows = subject & object_
        if wanted.shared:
            for row in np.flatnonzero(rows).tolist():
                text = self._text(row)
                rows[row] = together(*(mentions(side, wanted.longer, text) for side in wanted[:2]))
        return rows

    def _matching(self, query) -> np.ndarray:
        return lucene.matching(self._opened, query)

    def _exact(self, names: Sequence[str]):
        return lucene.any_of(lucene.tokens_query(self._opened, self._field, phrase(name)) for name in names)

    def _best(self, wanted: Asked, rows: np.ndarray, number: int) -> list[tuple[int, float]]:
        """Rows ranked by what the analyzer makes of the names; where it makes nothing, in the corpus's order."""
        exact = [self._exact(side) for side in wanted[:2]]
        own = wanted.subject + wanted.object
        if self.analyzer is None:
            scored = [self._exact([name]) for name in own]
        else:
            analysis = analyzer(self.about["analyzer"])
            scored = [lucene.analyzed_query("contents", analysis, name, phrase=False) for name in own]
        query, asked = lucene.all_of(exact, [part for part in scored if part is not None]), number
        while True:
            hits = lucene.ranked(self._opened, query, asked)
            kept = [hit for hit in hits if rows[hit[0]]][:number]
            if len(kept) == number or len(hits) < asked:
                return kept
            asked *= 4

    def _apart(self, subject: np.ndarray, object_: np.ndarray, number: int) -> tuple[list[int], int]:
        """The first row of each name in documents that hold both, the fullest documents first; and how many there are.

        A document with one row alone is none: what stands there is one mention.
        """
        size = int(self._documents[-1]) + 1 if len(self._documents) else 0
        counts = [np.bincount(self._documents[rows], minlength=size) for rows in (subject, object_)]
        rows = np.bincount(self._documents[subject | object_], minlength=size)
        shared = np.flatnonzero((counts[0] > 0) & (counts[1] > 0) & (rows > 1))
        best = shared[np.argsort(-rows[shared], kind="stable")][: max(1, number // 2)]
        shown = []
        for document in best.tolist():
            own = np.flatnonzero(self._documents == document)
            shown += sorted({int(own[subject[own]][0]), int(own[object_[own]][0])})
        return shown, len(shared)

    def _analyzed(self, wanted: Asked) -> int | None:
        if self.analyzer is None:
            return None
        return analyzed_count(self._opened, analyzer(self.about["analyzer"]), wanted)

    def _raw(self, row: int) -> dict:
        return json.loads(self._stored.document(row).get("raw"))

    def _text(self, row: int) -> str:
        return fold(self._raw(row)["contents"], self.fold)

    def _hit(self, row: int, score: float, wanted: Asked) -> Hit:
        raw = self._raw(row)
        return Hit(raw["id"], raw["title"], raw["contents"], score, *places(raw["contents"], self.fold, wanted))


def mentions(names: Sequence[str], longer: Sequence[str], text: str) -> list[Span]:
    """Where folded names stand in a folded text, outside the longer ones that stand there."""
    around = spans(longer, text)
    return [
        (start, stop)
        for start, stop in spans(names, text)
        if not any(a <= start and stop <= b and b - a > stop - start for a, b in around)
    ]


def places(text: str, how: str, wanted: Asked) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Where subject and object stand in a text, in its own characters."""
    read = folded(text, how)
    subject, object_ = (original(mentions(side, wanted.longer, read.text), read) for side in wanted[:2])
    return subject, object_


def analyzed_count(opened, analysis, wanted: Asked) -> int | None:
    """How many passages hold both as the analyzer reads them; None where it makes nothing of a name."""
    sides = []
    for names in wanted[:2]:
        phrases = [lucene.analyzed_query("contents", analysis, name, phrase=True) for name in names]
        sides.append([query for query in phrases if query is not None])
    if not all(sides):
        return None
    return opened.count(lucene.all_of(lucene.any_of(side) for side in sides))
