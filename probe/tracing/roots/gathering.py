"""Everything that roots are told by, of all languages, side by side: answers, presence, cues and neurons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from probe.tracing.precision import Threshold, precision
from probe.tracing.presences import Presences
from probe.tracing.roots.answered import Answered
from probe.tracing.roots.cues import Cues
from probe.tracing.roots.cues import Known as ForCues
from probe.tracing.roots.labels import Known, Overlap
from probe.tracing.unit import Unit


class Gathered(NamedTuple):
    """Languages and facts in order, the facts' rows by language, and what is known but for cues and thresholds.

    places : for each language, where its table's rows stand among all facts.
    """

    langs: tuple[str, ...]
    facts: list[str]
    tables: list[pa.Table]
    places: list[np.ndarray]
    shuffled: list[pa.Table]
    answers: list[Answered]
    tokenizer: object
    overlap: Callable[[int], Overlap] | None


def gather(langs, presences: Presences, unit: Unit, answers, tokenizer, overlaps: pa.Table | None) -> Gathered:
    """Bring together a presence (:data:`probe.tracing.presence.PRESENCE`), answers and overlaps of neurons."""
    tables = [presences.table(lang, unit) for lang in langs]
    facts = list(dict.fromkeys(fact for table in tables for fact in table["fact"].to_pylist()))
    index = {fact: i for i, fact in enumerate(facts)}
    places = [np.array([index[fact] for fact in table["fact"].to_pylist()], np.int64) for table in tables]
    shuffled = [presences.shuffled(lang, unit) for lang in langs]
    overlap = None if overlaps is None else _by_language(overlaps, langs, index)
    return Gathered(tuple(langs), facts, tables, places, shuffled, list(answers), tokenizer, overlap)


def _by_language(overlaps: pa.Table, langs, index: dict[str, int]) -> Callable[[int], Overlap]:
    """A function from a language's place to its overlaps: all pairs of languages at once would be too many."""
    number = {lang: i for i, lang in enumerate(langs)}
    a, b, f = (np.array([to[x] for x in overlaps[name].to_pylist()], np.int64)
               for name, to in (("lang", number), ("other", number), ("fact", index)))  # fmt: skip
    p, own, chance = (overlaps[name].to_numpy() for name in ("p", "jaccard", "null_mean"))
    pairs = overlaps["null_pairs"].to_numpy()

    def of(lang: int) -> Overlap:
        shape = len(langs), len(index)
        made = Overlap(np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64))
        for here, there in ((a, b), (b, a)):
            rows = np.flatnonzero(here == lang)
            at = there[rows], f[rows]
            made.p[at], made.excess[at], made.pairs[at] = p[rows], (own - chance)[rows], pairs[rows]
        return made

    return of


def known(gathered: Gathered, threshold: Threshold, cues: Cues) -> Known:
    """What roots are told by under a threshold and cues."""
    shape = len(gathered.langs), len(gathered.facts)
    right, present = np.full(shape, -2, np.int8), np.full(shape, -1, np.int8)
    units, rate = np.zeros(shape, np.int64), np.zeros(shape)
    hits = np.zeros((len(cues.chosen), *shape), bool)
    sure = np.ones(shape[0])
    for i, (table, at, own) in enumerate(zip(gathered.tables, gathered.places, gathered.answers, strict=True)):
        keys = table["fact"].to_pylist()
        right[i, at] = [1 if key in own.right else 0 if key in own.wrong else -1 for key in keys]
        able = table["fault"].is_null().to_numpy()
        present[i, at] = np.where(able, threshold.met(table), -1)
        units[i, at] = table["units"].fill_null(0).to_numpy()
        rate[i, at] = _rates(table)
        for c, hit in enumerate(cues.hits(table, ForCues(gathered.tokenizer, own.guessed)).values()):
            hits[c, i, at] = hit
        found = precision(table, gathered.shuffled[i], threshold).precision
        sure[i] = 1.0 if found is None else found
    names = tuple(name for name, _ in cues.chosen)
    return Known(right, present, units, hits, names, gathered.overlap, sure, rate)


def _rates(table: pa.Table) -> np.ndarray:
    """How frequent each fact's object is among the facts of its relation."""
    pairs = list(zip(table["relation"].to_pylist(), table["object_uri"].to_pylist(), strict=True))
    often, all_ = Counter(pairs), Counter(relation for relation, _ in pairs)
    return np.array([often[pair] / all_[pair[0]] for pair in pairs])
