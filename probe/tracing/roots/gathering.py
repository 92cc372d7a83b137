"""Everything that roots are told by, of all languages, side by side: answers, presence, cues and neurons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from probe.tracing.precision import Threshold, precision
from probe.tracing.presences import Presences
from probe.tracing.roots import labels
from probe.tracing.roots.answered import Answered
from probe.tracing.roots.cues import Cues, Known
from probe.tracing.roots.labels import Overlap
from probe.tracing.unit import Unit


class Gathered(NamedTuple):
    """Languages and facts in order, the facts' rows by language, and all that is known of them but the thresholds.

    places : for each language, where its table's rows stand among all facts.
    hits : of each language, which cues hit its rows, by their names.
    """

    langs: tuple[str, ...]
    facts: list[str]
    tables: list[pa.Table]
    places: list[np.ndarray]
    shuffled: list[pa.Table]
    answers: list[Answered]
    hits: list[dict[str, np.ndarray]]
    overlap: Callable[[int], Overlap] | None


def gather(
    langs, presences: Presences, unit: Unit, answers: list[Answered], cues: Cues, tokenizer, overlaps: pa.Table | None
) -> Gathered:
    """Bring together a presence, answers, cues, and the overlaps of neurons (None: they were not looked for)."""
    tables = [presences.table(lang, unit) for lang in langs]
    facts = list(dict.fromkeys(fact for table in tables for fact in table["fact"].to_pylist()))
    index = {fact: i for i, fact in enumerate(facts)}
    places = [np.array([index[fact] for fact in table["fact"].to_pylist()], np.int64) for table in tables]
    shuffled = [presences.shuffled(lang, unit) for lang in langs]
    overlap = None if overlaps is None else _by_language(overlaps, langs, index)
    hits = [cues.hits(table, Known(tokenizer, own.guessed)) for table, own in zip(tables, answers, strict=True)]
    return Gathered(tuple(langs), facts, tables, places, shuffled, answers, hits, overlap)


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


def known(gathered: Gathered, threshold: Threshold, cues: Cues) -> labels.Known:
    """What roots are told by under a threshold and some of the cues."""
    shape = len(gathered.langs), len(gathered.facts)
    right, present = np.full(shape, -2, np.int8), np.full(shape, -1, np.int8)
    units, rate = np.zeros(shape, np.int64), np.zeros(shape)
    names = tuple(name for name, _ in cues.chosen)
    hits = np.zeros((len(names), *shape), bool)
    sure = np.ones(shape[0])
    for i, (table, at, own) in enumerate(zip(gathered.tables, gathered.places, gathered.answers, strict=True)):
        keys = table["fact"].to_pylist()
        right[i, at] = [1 if key in own.right else 0 if key in own.wrong else -1 for key in keys]
        present[i, at] = np.where(table["fault"].is_null().to_numpy(), threshold.met(table), -1)
        units[i, at] = table["units"].fill_null(0).to_numpy()
        rate[i, at] = _rates(table)
        for c, name in enumerate(names):
            hits[c, i, at] = gathered.hits[i][name]
        found = precision(table, gathered.shuffled[i], threshold).precision
        sure[i] = 1.0 if found is None else found
    return labels.Known(right, present, units, hits, names, gathered.overlap, sure, rate)


def _rates(table: pa.Table) -> np.ndarray:
    """How frequent each fact's object is among the facts of its relation."""
    pairs = list(zip(table["relation"].to_pylist(), table["object_uri"].to_pylist(), strict=True))
    often, all_ = Counter(pairs), Counter(relation for relation, _ in pairs)
    return np.array([often[pair] / all_[pair[0]] for pair in pairs])
