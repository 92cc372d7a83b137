"""Everything that roots are told by, of all languages, side by side: answers, presence, cues and neurons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from probe.tracing.precision import Threshold, precision
from probe.tracing.presences import Presences
from probe.tracing.roots import labels
from probe.tracing.roots.answered import Answered
from probe.tracing.roots.cues import Cues, Known
from probe.tracing.roots.labels import UNCONTROLLED, UNSILENCED, Compared
from probe.tracing.unit import Unit


class Gathered(NamedTuple):
    """Languages and facts in order, the facts' rows by language, and all that is known of them but the thresholds.

    places : for each language, where its table's rows stand among all facts.
    hits : of each language, which cues hit its rows, by their names.
    overlap, check : from a language's place to what tells neurons by (:class:`probe.tracing.roots.labels.Known`).
    """

    langs: tuple[str, ...]
    facts: list[str]
    tables: list[pa.Table]
    places: list[np.ndarray]
    shuffled: list[pa.Table]
    answers: list[Answered]
    hits: list[dict[str, np.ndarray]]
    overlap: Callable[[int], Compared] | None
    check: Callable[[int], Compared] | None = None

    def checked(self, effects: pa.Table) -> Gathered:
        """The same with what silencing showed (:data:`probe.tracing.neurons.effects.EFFECTS`)."""
        p, score = effects["p"].fill_null(1.0), effects["specific"].fill_null(0.0)
        values = [part.to_numpy() for part in (p, score, effects["controls"])]
        numbers, shape = _numbers(effects, self.langs, self.facts), (len(self.langs), len(self.facts))
        return self._replace(check=_by_language(numbers, [(1, 0)], values, shape, UNSILENCED, UNCONTROLLED))


def gather(
    langs, presences: Presences, unit: Unit, answers: list[Answered], cues: Cues, tokenizer, overlaps: pa.Table | None
) -> Gathered:
    """Bring together a presence, answers, cues, and the overlaps of neurons (None: they were not looked for)."""
    tables = [presences.table(lang, unit) for lang in langs]
    facts = list(dict.fromkeys(fact for table in tables for fact in table["fact"].to_pylist()))
    index = {fact: i for i, fact in enumerate(facts)}
    places = [np.array([index[fact] for fact in table["fact"].to_pylist()], np.int64) for table in tables]
    shuffled = [presences.shuffled(lang, unit) for lang in langs]
    overlap = None
    if overlaps is not None:
        p, own, chance, pairs = (overlaps[name].to_numpy() for name in ("p", "jaccard", "null_mean", "null_pairs"))
        numbers, shape = _numbers(overlaps, langs, facts), (len(langs), len(facts))
        overlap = _by_language(numbers, [(0, 1), (1, 0)], [p, own - chance, pairs], shape)
    hits = [cues.hits(table, Known(tokenizer, own.guessed)) for table, own in zip(tables, answers, strict=True)]
    return Gathered(tuple(langs), facts, tables, places, shuffled, answers, hits, overlap)


def _numbers(table: pa.Table, langs: Sequence[str], facts: Iterable[str]) -> tuple[np.ndarray, ...]:
    """The places of a table's languages, other languages and facts."""
    lang, fact = ({name: i for i, name in enumerate(names)} for names in (langs, facts))
    columns = (("lang", lang), ("other", lang), ("fact", fact))
    return tuple(np.array([to[x] for x in table[name].to_pylist()], np.int64) for name, to in columns)


def _by_language(
    numbers: tuple[np.ndarray, ...], sides, values: Sequence[np.ndarray], shape: tuple[int, int], *why: str
) -> Callable[[int], Compared]:
    """A function from a language's place to its :class:`Compared`: all pairs of languages at once would be too many.

    `numbers` and `values` are of rows; `sides` say which of a row's two languages is this one, and which the other.
    """

    def of(lang: int) -> Compared:
        made = Compared(np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.int64), *why)
        for here, there in sides:
            rows = np.flatnonzero(numbers[here] == lang)
            for part, own in zip(made, values, strict=False):
                part[numbers[there][rows], numbers[2][rows]] = own[rows]
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
    return labels.Known(right, present, units, hits, names, gathered.overlap, sure, rate, gathered.check)


def _rates(table: pa.Table) -> np.ndarray:
    """How frequent each fact's object is among the facts of its relation."""
    pairs = list(zip(table["relation"].to_pylist(), table["object_uri"].to_pylist(), strict=True))
    often, all_ = Counter(pairs), Counter(relation for relation, _ in pairs)
    return np.array([often[pair] / all_[pair[0]] for pair in pairs])
