"""A finished run beyond its P@1: languages two by two, paraphrases, confidence and strata, in one record."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from probe import profile, uncertainty
from probe.agreement import Agreement, All, Pair
from probe.protocols import Protocol
from probe.ranked import by_relation, ranks
from probe.scores import judge
from probe.signature import signature
from probe.store import Store

_BOOTSTRAP = {"unit": "subject", "resamples": uncertainty.RESAMPLES, "seed": uncertainty.SEED}


class Portrait(NamedTuple):
    """What is empty or None is not defined: pairs of one language, paraphrases of one template, ranks of no candidates.

    unscored : by language, how many items have no answer, with the reason.
    """

    signature: str
    protocol: str
    gold: str
    weights: str
    pairs: list[Pair]
    all: All | None
    paraphrases: list[profile.Paraphrased]
    confidence: list[profile.Sure]
    strata: list[profile.Stratum]
    unscored: dict[str, dict[str, int]]


def portrait(store: Store, protocol: Protocol, gold: str | None = None, weights: str = "softmax") -> Portrait:
    """Raises FactrootsError for a run that is not finished, or of which nothing can be scored."""
    run = store.read()
    facts = FactSet.parse(run["facts"])
    facts = replace(facts, gold=protocol.of(gold or facts.gold))
    judged = judge(store, protocol, facts.gold)
    frames = {lang: one.frame for lang, one in judged.items() if len(one.frame)}
    if not frames:
        raise FactrootsError(f"nothing could be scored in {store.folder}; `probe score {store.folder}` says why")
    agreement = Agreement(list(judged), weights)
    again, sure = ({lang: [] for lang in frames if ranks(protocol)} for _ in range(2))
    for relation in by_relation(store, judged, protocol, facts.gold):
        agreement.add(relation)
        for lang in relation.keys() & sure.keys():
            sure[lang].append(profile.sure(relation[lang]))
            again[lang].append(profile.asked_again(relation[lang]))
    rows = [profile.paraphrased(lang, pd.concat(parts)) for lang, parts in again.items()]
    return Portrait(
        signature(run, facts, protocol, _BOOTSTRAP),
        str(protocol),
        facts.gold,
        weights,
        agreement.pairs(protocol.aggregate),
        agreement.all(),
        [row for row in rows if row],
        [profile.confident(lang, pd.concat(parts)) for lang, parts in sure.items()],
        [row for lang, frame in frames.items() for row in profile.layers(lang, frame)],
        {lang: dict(one.unscored) for lang, one in judged.items()},
    )


def record(value):
    """Named tuples as dictionaries, all the way down: what is written as JSON."""
    if hasattr(value, "_asdict"):
        return {name: record(part) for name, part in value._asdict().items()}
    return [record(part) for part in value] if isinstance(value, list | tuple) else value
