"""The few things that are asked of Lucene, as plain functions over its objects."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from data_builders.errors import FactrootsError
from probe.tracing.evidence.jvm import as_java, failure, java
from probe.tracing.evidence.tokens import Phrase

_SEARCH, _INDEX = "org.apache.lucene.search.", "org.apache.lucene.index."
_INTERVALS = "org.apache.lucene.queries.intervals.Intervals"
_LETTERS = 1024  # that a prefix may go on with, as many as Lucene lets be; there are fewer


def searcher(folder: Path):
    """An index opened for searching, with Pyserini's BM25. Raises FactrootsError when `folder` holds none."""
    try:
        reader = java(_INDEX + "DirectoryReader").open(directory(folder))
    except failure() as error:
        raise FactrootsError(f"{folder} holds no Lucene index that can be read: {said(error)}") from error
    found = java(_SEARCH + "IndexSearcher")(as_java(_INDEX + "IndexReader", reader))
    found.setSimilarity(java(_SEARCH + "similarities.BM25Similarity")(0.9, 0.4))
    return found


def directory(folder: Path):
    """A folder as Lucene has it; in full, since Java keeps to the working folder that it was started in."""
    return java("org.apache.lucene.store.FSDirectory").open(java("java.nio.file.Paths").get(str(folder.resolve())))


def said(error: Exception) -> str:
    """What a Java exception says, in one line."""
    return " ".join(str(getattr(error, "innermessage", None) or error).split())


def all_of(filters: Iterable, scored: Iterable = ()):
    """All `filters` have to match; `scored` ones only add to the score."""
    occurs, builder = java(_SEARCH + "BooleanClause$Occur"), java(_SEARCH + "BooleanQuery$Builder")()
    for queries, occur in ((filters, occurs.FILTER), (scored, occurs.SHOULD)):
        for query in queries:
            builder.add(query, occur)
    return builder.build()


def any_of(queries: Iterable):
    """At least one of them has to match; nothing does when there is none."""
    occur, builder = java(_SEARCH + "BooleanClause$Occur").SHOULD, java(_SEARCH + "BooleanQuery$Builder")()
    for query in queries:
        builder.add(query, occur)
    return builder.build()


def tokens_query(opened, field: str, wanted: Phrase):
    """A phrase of our tokens; the one that only has to begin in some way is any of those that the index has."""
    terms = [java(_INDEX + "Term")(field, token) for token in wanted.tokens]
    if not wanted.prefix:
        return _phrase(terms)
    if not terms:
        return java(_SEARCH + "PrefixQuery")(java(_INDEX + "Term")(field, wanted.prefix))
    return any_of(_phrase([*terms, term]) for term in _beginning(opened, field, wanted.prefix))


def outside_query(field: str, wanted: Phrase, longer: Iterable[Phrase]):
    """A phrase of our tokens where it does not stand inside one of the `longer` ones.

    These are taken away one after the other: of nested ones, an alternative of Lucene's sees the innermost alone.
    """
    intervals, found = java(_INTERVALS), _interval(wanted)
    for other in longer:
        found = intervals.notContainedBy(found, _interval(other))
    return java("org.apache.lucene.queries.intervals.IntervalQuery")(field, found)


def _interval(wanted: Phrase):
    intervals = java(_INTERVALS)
    parts = [intervals.term(token) for token in wanted.tokens]
    if wanted.prefix:
        parts.append(intervals.prefix(_bytes(wanted.prefix), _LETTERS))
    return parts[0] if len(parts) == 1 else intervals.phrase(*parts)


def _phrase(terms: list):
    if len(terms) == 1:
        return java(_SEARCH + "TermQuery")(terms[0])
    builder = java(_SEARCH + "PhraseQuery$Builder")()
    for term in terms:
        builder.add(term)
    return builder.build()


def _beginning(opened, field: str, prefix: str) -> list:
    """The terms of a field that begin with `prefix`, a letter: itself, and it with another one."""
    terms = java(_INDEX + "MultiTerms").getTerms(opened.getIndexReader(), field)
    found, all_terms = [], terms.iterator() if terms else None
    if all_terms is None or all_terms.seekCeil(_bytes(prefix)).name() == "END":
        return found
    term = all_terms.term()
    while term is not None and (text := term.utf8ToString()).startswith(prefix):
        found.append(java(_INDEX + "Term")(field, text))
        term = all_terms.next()
    return found


def _bytes(text: str):
    return java("org.apache.lucene.util.BytesRef")(text.encode())


def analyzed_query(field: str, analysis, name: str, phrase: bool):
    """A name as an analyzer reads it, as a phrase or as a bag of words; None when it makes nothing of it."""
    builder = java("org.apache.lucene.util.QueryBuilder")(analysis)
    return builder.createPhraseQuery(field, name) if phrase else builder.createBooleanQuery(field, name)


def matching(opened, query) -> np.ndarray:
    """Which documents of the index match, bool [documents], in one call a segment and not one a document."""
    reader = opened.getIndexReader()
    found = np.zeros(reader.maxDoc(), bool)
    mode = java(_SEARCH + "ScoreMode").COMPLETE_NO_SCORES
    weight = opened.createWeight(opened.rewrite(query), mode, 1.0)
    for leaf in reader.leaves().toArray():
        scorer = weight.scorer(leaf)
        if scorer is not None:
            size, first = leaf.reader().maxDoc(), leaf.docBase
            bits = java("org.apache.lucene.util.FixedBitSet")(size)
            getattr(bits, "or")(scorer.iterator())
            own = np.array(bits.getBits(), np.int64).view(np.uint8)
            found[first : first + size] = np.unpackbits(own, count=size, bitorder="little")
    return found


def ranked(opened, query, number: int) -> list[tuple[int, float]]:
    """The best documents and their scores; of equal ones, the first."""
    hits = opened.search(query, max(1, number)).scoreDocs
    return [(hit.doc, hit.score) for hit in hits][:number]
