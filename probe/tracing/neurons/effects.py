"""What silencing the neurons that a language has for a fact does to it, and to other facts, in every language."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.progress import Quiet
from probe.memory import give_back
from probe.tracing.neurons.asked import Asked, Questions
from probe.tracing.neurons.compared import Compared
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.silence import Trial, logprobs, mean_activations
from probe.tracing.neurons.silencing import Silencing

#: One row a fact and ordered pair of languages: its neurons were found in ``lang`` and silenced while it was asked in
#: ``other``; where the two are one, it is the fact's own neurons. Drops are of log p of the answer, mean per token.
#:
#: drop : of the fact itself; random : with as many neurons of the same layers drawn at random, mean of the draws;
#: others : of other facts of its relation asked in ``other``, with the fact's neurons silenced, their mean.
#: effect = drop - random; specific = drop - others.
#: p : the larger of the shares of random draws, and of other facts, whose drop reaches the fact's, (c + 1) / (n + 1).
#: controls : of how many of either; no p is smaller than 1 / (controls + 1).
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
        "controls": pa.int64(),
    }
)
#: Of some facts, in which language their neurons were found: (lang, fact).
Found = Collection[tuple[str, str]]


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
    lang: str,
    tops: pa.Table,
    questions: Questions,
    reader: Reader,
    silencing: Silencing,
    bar=None,
    wanted: Found | None = None,
) -> Iterator[pa.RecordBatch]:
    """The effects on facts asked in one language, a batch for each relation and language that neurons are from.

    `wanted` says which neurons are silenced, all if it is None; the facts that these are compared with are all that
    have neurons in `lang`.
    """
    sources = sorted({source for source, _ in wanted}) if wanted is not None else pc.unique(tops["lang"]).to_pylist()
    for relation, asked in questions:
        rows = tops.filter(pc.equal(tops["relation"], relation)).to_pylist()
        here = {row["fact"] for row in rows if row["lang"] == lang}
        held = [one for one in asked if one.fact in here]
        neurons: dict[str, dict[str, np.ndarray]] = {source: {} for source in sources}
        for row in rows:
            if row["fact"] in here and (wanted is None or (row["lang"], row["fact"]) in wanted):
                neurons[row["lang"]][row["fact"]] = np.array(row["neurons"])
        if any(neurons.values()):
            own = _Language(reader, relation, lang, held, silencing)
            yield from (own.effects(source, found) for source, found in neurons.items() if found)
            give_back()
        (bar or Quiet()).advance(len(held))


class _Language:
    """The facts of a relation as asked in one language, whatever neurons are silenced meanwhile."""

    def __init__(self, reader: Reader, relation: str, lang: str, asked: list[Asked], silencing: Silencing):
        self.reader, self.relation, self.lang, self.asked, self.silencing = reader, relation, lang, asked, silencing
        nothing = np.empty(0, np.int64)
        self.level = mean_activations(reader, asked) if silencing.level == "mean" else None
        self.base = logprobs(reader, asked, [Trial(i, nothing) for i in range(len(asked))])

    def effects(self, lang: str, neurons: Mapping[str, np.ndarray]) -> pa.RecordBatch:
        """The rows of the facts whose `neurons` were found in `lang`."""
        of = partial(Compared, self.reader, self.silencing, self.lang, self.asked)
        numbers = [number for number, one in enumerate(self.asked) if one.fact in neurons]
        compared = [of(number, neurons[self.asked[number].fact]) for number in numbers]
        for one, (drop,) in zip(compared, self._drops([[one.own] for one in compared]), strict=True):
            one.drop = float(drop)
        for number in self.silencing.rounds():
            going = [one for one in compared if not (self.silencing.stop and one.settled)]
            if not going:
                break
            groups = [group for one in going for group in one.controls(number)]
            drops = iter(self._drops(groups))
            for one in going:
                one.add(next(drops), next(drops))
        return pa.RecordBatch.from_pylist([self._row(lang, one) for one in compared], EFFECTS)

    def _drops(self, groups: Sequence[Sequence[Trial]]) -> list[np.ndarray]:
        """How much log p falls in each trial."""
        trials = [trial for group in groups for trial in group]
        found = self.base[[trial.number for trial in trials]] - logprobs(self.reader, self.asked, trials, self.level)
        return np.split(found.astype(float), np.cumsum([len(group) for group in groups])[:-1])

    def _row(self, lang: str, one: Compared) -> dict:
        asked, (random, others) = self.asked[one.own.number], one.drops
        beside = float(others.mean()) if len(others) else None
        return {
            "fact": asked.fact,
            "relation": self.relation,
            "subject_uri": asked.subject_uri,
            "lang": lang,
            "other": self.lang,
            "logprob": float(self.base[one.own.number]),
            "drop": one.drop,
            "random": random.mean(),
            "others": beside,
            "effect": one.drop - random.mean(),
            "specific": None if beside is None else one.drop - beside,
            "p": None if beside is None else max(one.shares()),
            "controls": one.most,
        }
