"""What silencing the neurons that a language has for a fact does to it, and to other facts, in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.progress import Quiet
from probe.estimates import Estimate, Part, ratios
from probe.memory import give_back
from probe.tracing.neurons.asked import Asked, Questions
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.silence import Trial, logprobs, mean_activations, random_like, seeded
from probe.tracing.neurons.silencing import Silencing

#: One row a fact and ordered pair of languages: its neurons were found in ``lang`` and silenced while it was asked in
#: ``other``; where the two are one, it is the fact's own neurons. Drops are of log p of the answer, mean per token.
#:
#: drop : of the fact itself; random : with as many neurons of the same layers drawn at random, mean of the draws;
#: others : of other facts of its relation asked in ``other``, with the fact's neurons silenced, their mean.
#: effect = drop - random; specific = drop - others.
#: p : the larger of the shares of random draws, and of other facts, whose drop reaches the fact's, (c + 1) / (n + 1).
#: ``others``, ``specific`` and ``p`` are null where the relation has no other fact in ``other``.
EFFECTS = pa.schema(
    {
        "fact": pa.string(),
        "relation": pa.string(),
        "subject_uri": pa.string(),
        "lang": pa.string(),
        "other": pa.string(),
        "logprob": pa.float64(),
        "drop": pa.float64(),
        "random": pa.float64(),
        "others": pa.float64(),
        "effect": pa.float64(),
        "specific": pa.float64(),
        "p": pa.float64(),
    }
)


def effects(
    tops: pa.Table, questions: Mapping[str, Questions], reader: Reader, silencing: Silencing, bar=None
) -> pa.Table:
    """The effects (:data:`EFFECTS`) of silencing every fact of `tops`, asked in each language of `questions`.

    `tops` is as :data:`probe.tracing.neurons.find.NEURONS` has it, `questions` are those that it was found with. A
    fact takes part in languages in which it has neurons. It costs 2 * controls + 1 rows of a forward pass for each
    ordered pair of languages, and one for each language.
    """
    parts = [part for lang, own in questions.items() for part in asked_in(lang, tops, own, reader, silencing, bar)]
    return pa.Table.from_batches(parts, EFFECTS)


def asked_in(
    lang: str, tops: pa.Table, questions: Questions, reader: Reader, silencing: Silencing, bar=None
) -> Iterator[pa.RecordBatch]:
    """The effects on facts asked in one language, a batch for each relation and language that neurons are from."""
    sources = list(dict.fromkeys(tops["lang"].to_pylist()))
    for relation, asked in questions:
        rows = tops.filter(pc.equal(tops["relation"], relation)).to_pylist()
        neurons = {(row["lang"], row["fact"]): np.array(row["neurons"]) for row in rows}
        held = [one for one in asked if (lang, one.fact) in neurons]
        if held:
            here = _Language(reader, relation, lang, held, silencing)
            yield from (part for source in sources if (part := here.effects(source, neurons)) is not None)
            give_back()
        (bar or Quiet()).advance(len(held))


class _Language:
    """The facts of a relation as asked in one language, whatever neurons are silenced meanwhile."""

    def __init__(self, reader: Reader, relation: str, lang: str, asked: list[Asked], silencing: Silencing):
        self.reader, self.relation, self.lang, self.asked, self.silencing = reader, relation, lang, asked, silencing
        self.place = {one.fact: i for i, one in enumerate(asked)}
        nothing = np.empty(0, np.int64)
        self.level = mean_activations(reader, asked) if silencing.level == "mean" else None
        self.base = logprobs(reader, asked, [Trial(i, nothing) for i in range(len(asked))])

    def effects(self, lang: str, neurons: Mapping[tuple[str, str], np.ndarray]) -> pa.RecordBatch | None:
        """The rows of the facts whose neurons were found in `lang`; None where there are none."""
        facts = [one for one in self.asked if (lang, one.fact) in neurons]
        if not facts:
            return None
        trials, sizes = [], []
        for one in facts:
            own = self._trials(one, neurons[lang, one.fact])
            trials += [trial for group in own for trial in group]
            sizes.append([len(group) for group in own])
        dropped = self.base[[trial.number for trial in trials]] - logprobs(self.reader, self.asked, trials, self.level)
        groups = iter(np.split(dropped.astype(float), np.cumsum(sizes)[:-1]))
        rows = [self._row(lang, one, *(next(groups) for _ in own)) for one, own in zip(facts, sizes, strict=True)]
        return pa.RecordBatch.from_pylist(rows, EFFECTS)

    def _trials(self, one: Asked, silent: np.ndarray) -> tuple[list[Trial], list[Trial], list[Trial]]:
        """The fact with its neurons silenced, with random ones, and other facts with the fact's."""
        number, most = self.place[one.fact], self.silencing.controls
        draw = seeded(self.silencing.seed, self.lang, one.fact)
        rest = np.delete(np.arange(len(self.asked)), number)
        others = draw.choice(rest, min(most, len(rest)), replace=False)
        sets = random_like(silent, self.reader.neurons.widths, most, draw)
        return (
            [Trial(number, silent)],
            [Trial(number, neurons) for neurons in sets],
            [Trial(int(i), silent) for i in others],
        )

    def _row(self, lang: str, one: Asked, drop: np.ndarray, random: np.ndarray, others: np.ndarray) -> dict:
        (own,) = drop
        reached = [(1 + (part >= own).sum()) / (1 + len(part)) for part in (random, others)]
        beside = float(others.mean()) if len(others) else None
        return {
            "fact": one.fact,
            "relation": self.relation,
            "subject_uri": one.subject_uri,
            "lang": lang,
            "other": self.lang,
            "logprob": float(self.base[self.place[one.fact]]),
            "drop": own,
            "random": random.mean(),
            "others": beside,
            "effect": own - random.mean(),
            "specific": None if beside is None else own - beside,
            "p": None if beside is None else max(reached),
        }


class Size(NamedTuple):
    """An ordered pair of languages: so many facts, and mean drops and effects as :data:`EFFECTS` has them.

    What the same neurons do to other facts in their own language is ``others`` of the pair of that with itself.
    """

    lang: str
    other: str
    facts: int
    drop: Estimate
    random: Estimate
    others: Estimate
    effect: Estimate
    specific: Estimate


def sizes(table: pa.Table) -> list[Size]:
    """The mean effects of every ordered pair of languages, with intervals over subjects.

    Facts without others to compare with take no part.
    """
    frame = table.filter(pc.is_valid(table["specific"])).to_pandas()
    found = []
    for (lang, other), rows in frame.groupby(["lang", "other"], sort=False):
        names = Size._fields[3:]
        drawn = ratios(rows, {name: Part(rows[name].to_numpy()) for name in names})
        found.append(Size(lang, other, len(rows), *(drawn[name].estimate() for name in names)))
    return found
