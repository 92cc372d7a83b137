"""Which facts a finished run answered rightly in a language, and which of its answers need no subject."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from probe.judging import KINDS, answers, items
from probe.protocols import Protocol
from probe.store import Store


class Answered(NamedTuple):
    """Of a language: which facts are right and which wrong, and why others have no answer.

    guessed : facts whose object is what the relation's other subjects make the model expect before all others.
    """

    right: set[str]
    wrong: set[str]
    guessed: set[str]
    unscored: Counter[str]


def answered(store: Store, lang: str, protocol: Protocol, gold: str) -> Answered:
    """The facts of a language under the first template of their relation.

    Raises FactrootsError under a gold policy that makes one item of several facts.
    """
    if gold == "any":
        raise FactrootsError("a root is a single fact's, and gold=any makes one item of a subject's; pass --gold one")
    found = Answered(set(), set(), set(), Counter())
    for relation, rows, pool in answers(store, lang, protocol):
        first = [row for row in rows if row["template"] == 0]
        if protocol.skip and protocol.skip in relation:
            found.unscored[f"relation with {protocol.skip!r} in its name"] += sum(len(row["facts"]) for row in first)
            continue
        asked = [item for row in first for item in items(row, relation, pool, gold, found.unscored)]
        if asked:
            hits = KINDS[protocol.kind](pool, asked)["p1"]
            for item, hit in zip(asked, hits, strict=True):
                (found.right if hit >= 0.5 else found.wrong).add(item["item"])
    if protocol.kind == "typed":
        found.guessed.update(_guessed(store, lang, protocol))
    return found


def _guessed(store: Store, lang: str, protocol: Protocol):
    """Facts whose object has the highest mean probability over the relation's other subjects."""
    for _, rows, _pool in answers(store, lang, replace(protocol, prior="subjects")):
        for row in rows:
            prior = row.get("prior")
            if row["template"] != 0 or prior is None or np.isnan(prior).all():
                continue
            best = np.nanargmax(prior)
            yield from (fact for fact, own in zip(row["facts"], row["golds"], strict=True) if own == best)
