"""How a language ranks the entities of a relation, question by question: what a run's scores are under a protocol."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from probe.judging import Judged, answers, items
from probe.protocols import Protocol
from probe.store import Store


class Ranked(NamedTuple):
    """The judged answers of a relation in a language, with what was chosen among.

    frame : the answers' rows of :class:`probe.judging.Judged`.
    scores : what the protocol ranks entities by [answers, entities]; NaN where one is no candidate. An entity that has
        several names has the best of their scores.
    gold : which entities are right [answers, entities].
    uris : the entities, in order. With ``identity=label``, where namesakes are one, the first of them stands for all.
    """

    relation: str
    lang: str
    frame: pd.DataFrame
    scores: np.ndarray
    gold: np.ndarray
    uris: np.ndarray


def ranks(protocol: Protocol) -> bool:
    """Whether all candidates are ranked: not where tokens are chosen, nor where only the best are known."""
    return protocol.kind == "typed" and not protocol.best


def by_relation(store: Store, judged: dict[str, Judged], protocol: Protocol, gold: str) -> Iterator[dict[str, Ranked]]:
    """Relation by relation, every language that has it: no more than a relation is held."""
    every = [_language(store, lang, one.frame, protocol, gold) for lang, one in judged.items()]
    merged = heapq.merge(*every, key=lambda ranked: ranked.relation)  # each is in order of the relations' names
    for _, group in groupby(merged, key=lambda ranked: ranked.relation):
        yield {ranked.lang: ranked for ranked in group}


def _language(store: Store, lang: str, judged: pd.DataFrame, protocol: Protocol, gold: str) -> Iterator[Ranked]:
    frames = dict(list(judged.groupby("relation", observed=True)))
    if not ranks(protocol):
        for relation, frame in sorted(frames.items()):
            nothing = np.empty((len(frame), 0))
            yield Ranked(relation, lang, frame, nothing, nothing.astype(bool), np.empty(0, object))
        return
    names = pq.read_table(store.candidates(lang), columns=["relation", "uri"]).to_pandas()
    uris = {relation: rows["uri"].to_numpy(object) for relation, rows in names.groupby("relation")}
    for relation, chunks in groupby(answers(store, lang, protocol), key=lambda chunk: chunk[0]):
        if relation in frames:
            scores, golds, entities = _together(chunks, uris[relation], protocol, gold)
            if len(scores) != len(frames[relation]):
                raise RuntimeError(f"{relation} in {lang}: {len(scores)} ranked, {len(frames[relation])} judged")
            yield Ranked(relation, lang, frames[relation], scores, golds, entities)


def _together(chunks, uris: np.ndarray, protocol: Protocol, policy: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, golds and entities of a relation that is read in chunks."""
    scores, golds = [], []
    for relation, rows, pool in chunks:
        entities, column = np.unique(uris[pool.same], return_inverse=True)
        order = np.argsort(column, kind="stable")
        starts = np.searchsorted(column[order], np.arange(len(entities)))
        found = [item for row in rows for item in items(row, relation, pool, policy, Counter())]
        if found:
            gold = np.zeros((len(found), len(column)), dtype=bool)
            for i, item in enumerate(found):
                gold[i, list(item["own"])] = True
            scores.append(np.fmax.reduceat(pool.scores(found)[:, order], starts, axis=1))
            golds.append(np.logical_or.reduceat(gold[:, order], starts, axis=1))
    return np.concatenate(scores), np.concatenate(golds), entities
