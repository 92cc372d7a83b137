"""Is a right answer still right when neurons are silenced? It is judged as the run's own were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from probe import passes
from probe.judging import KINDS, answers, items
from probe.prompts import Relation, relations
from probe.protocols import Protocol
from probe.running import by_labels, tokenizing
from probe.scoring.scorer import Answer, Ask, Candidates
from probe.store import Store
from probe.tracing.neurons.answering import Answering, Silent, answering, can_answer
from probe.tracing.neurons.effects import Found
from probe.tracing.neurons.kept import Kept
from probe.tracing.neurons.model import Model
from probe.tracing.neurons.silence import random_like, seeded
from probe.tracing.neurons.silenced import by_language

#: One row a fact and ordered pair of languages: whether the fact is right in ``other`` while its neurons of ``lang``
#: are silent, and while as many random ones of the same layers are.
STILL = pa.schema(
    {
        "fact": pa.string(),
        "lang": pa.string(),
        "other": pa.string(),
        "right": pa.bool_(),
        "right_random": pa.bool_(),
    }
)


class Judge:
    """Says of facts of a language whether an answer to them is right, as it was judged in the run.

    Priors, where the protocol has any, stay those of the run.
    """

    def __init__(self, store: Store, lang: str, protocol: Protocol, gold: str, facts: Collection[str]):
        self.gold, self.held = gold, {}
        for relation, rows, pool in answers(store, lang, protocol):
            for row in rows:
                for fact in facts & set(row["facts"]) if row["template"] == 0 else ():
                    kept = {name: part for name, part in row.items() if name not in Answer._fields}
                    self.held[fact] = relation, kept, pool

    def right(self, fact: str, answer: Answer) -> bool:
        """Raises FactrootsError, naming the fact, where there is no answer."""
        (relation, row, pool), why = self.held[fact], Counter()
        found = [item for item in items(row | answer._asdict(), relation, pool, self.gold, why) if item["item"] == fact]
        if not found:
            raise FactrootsError(f"fact {fact} has no answer with neurons silenced: {', '.join(why)}")
        return bool(KINDS[pool.protocol.kind](pool, found)["p1"][0] >= 0.5)


def still(
    store: Store,
    data: OpenFactSet,
    judging: tuple[Protocol, str],
    model: Model,
    made: Kept,
    wanted: Mapping[str, Found],
    bar,
) -> pa.Table | None:
    """The rows (:data:`STILL`) of what is `wanted`, kept beside the neurons; None where the run's pass cannot say.

    `judging` is a protocol and which objects are right (`gold`).
    """
    scoring, tops = made.read()["scoring"], made.table()
    if not can_answer(scoring):
        return None

    def rows(lang: str) -> Iterator[pa.RecordBatch]:
        facts = {fact for _, fact in wanted[lang]}
        own = tops.filter(pc.is_in(tops["fact"], value_set=pa.array(sorted(facts)))).to_pylist()
        neurons = {(row["lang"], row["fact"]): np.array(row["neurons"]) for row in own}
        neurons = {pair: neurons[pair] for pair in sorted(wanted[lang]) if pair in neurons}
        bar.start(f"{lang}, answering", len(neurons))
        judge, answer = Judge(store, lang, *judging, facts), answering(scoring, model.loaded, model.reader)
        parts, tokenize = passes.parts(scoring), tokenizing(model.loaded.tokenizer, lang, scoring)
        for relation in relations(data, lang, tokenize, parts["shots"], parts["case"]):
            own = _asked(relation, lang, neurons, parts["case"], judge, answer, model.reader.neurons.widths)
            yield pa.RecordBatch.from_pylist(found := list(own), STILL)
            bar.advance(len(found))

    about = {"protocol": str(judging[0]), "gold": judging[1]}
    return by_language(made.folder, "still", about, wanted, STILL, rows)


def _asked(
    relation: Relation,
    lang: str,
    neurons: Mapping[tuple[str, str], np.ndarray],
    case: str,
    judge: Judge,
    answer: Answering,
    widths: tuple[int, ...],
) -> Iterator[dict]:
    questions = {fact: q for q in relation.questions if q.template == 0 for fact in q.facts}
    asks = {fact: Ask(q.prompt, q.given, q.context) for fact, q in questions.items() if q.prompt is not None}
    pairs = [pair for pair in neurons if pair[1] in asks]
    for labels, own in by_labels(relation.labels, dict.fromkeys(asks[fact] for _, fact in pairs), case):
        place, trials = {ask: i for i, ask in enumerate(own)}, []
        here = [pair for pair in pairs if asks[pair[1]] in place]
        for pair in here:
            (random,) = random_like(neurons[pair], widths, 1, seeded("still", lang, *pair))
            trials += [Silent(place[asks[pair[1]]], silent) for silent in (neurons[pair], random)]
        found = answer(own, Candidates(labels, relation.tokens, lang), trials)
        for source, fact in here:
            right, beside = (judge.right(fact, next(found)) for _ in range(2))
            yield {"fact": fact, "lang": source, "other": lang, "right": right, "right_random": beside}
