"""How languages of one run agree, two by two and all of them, on the questions that they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from probe import uncertainty
from probe.consistency import answers
from probe.corrections import holm
from probe.estimates import Drawn, Estimate, Part, ratios
from probe.overlap import independent, known, unanimous
from probe.rankc import corrected, rankc
from probe.ranked import Ranked


class Pair(NamedTuple):
    """Two languages on their `n` shared questions, `ranked` of which have two or more candidates in both.

    rankc, floor, corrected : None where nothing is ranked.
    overlap, independent : COverlap, and what it would be if they knew as much of each relation independently.
    agree, wrong : shares of one answer, and of one answer that is wrong.
    gap : P@1 of `a` minus that of `b`, averaged as the protocol says; p is two-sided, p_holm corrected for the pairs.
    """

    a: str
    b: str
    n: int
    ranked: int
    rankc: Estimate | None
    floor: float | None
    corrected: Estimate | None
    overlap: Estimate | None
    independent: float | None
    agree: Estimate | None
    wrong: Estimate | None
    gap: Estimate
    p: float
    p_holm: float


class All(NamedTuple):
    """All languages on their `n` shared questions: shares of one answer, and of one answer that is wrong."""

    langs: int
    n: int
    agree: Estimate
    wrong: Estimate


class _Side(NamedTuple):
    """A relation in one language, ready to be laid beside others; `said` is None where nothing is ranked."""

    ranked: Ranked
    keys: pd.Index
    subject: np.ndarray
    p1: np.ndarray
    said: csr_array | None


class Agreement:
    """Collects pairs of languages relation by relation."""

    def __init__(self, langs: Sequence[str], weights: str):
        self.langs, self.weights = langs, weights
        self._parts: dict[tuple[str, ...], list[dict[str, np.ndarray]]] = defaultdict(list)
        self._relations = 0

    def add(self, relation: dict[str, Ranked]) -> None:
        """Take in a relation of the languages that have it."""
        self._relations += 1
        sides = {lang: _side(ranked) for lang, ranked in relation.items()}
        groups = list(combinations([lang for lang in self.langs if lang in relation], 2))
        if len(self.langs) > 2 and len(relation) == len(self.langs):
            groups.append(tuple(self.langs))
        for group in groups:
            if len((part := self._part([sides[lang] for lang in group]))["relation"]):
                self._parts[group].append(part)

    def _part(self, sides: list[_Side]) -> dict[str, np.ndarray]:
        """What is kept of a relation for some languages, a row a question that they share."""
        shared = reduce(lambda one, other: one[other.get_indexer(one) >= 0], [side.keys for side in sides])
        rows = [side.keys.get_indexer(shared) for side in sides]
        uris = reduce(lambda one, other: np.intersect1d(one, other, True), [side.ranked.uris for side in sides])
        columns = [np.searchsorted(side.ranked.uris, uris) for side in sides]
        places = [np.ix_(r, c) for r, c in zip(rows, columns, strict=True)]
        nothing = np.full(len(shared), np.nan)
        part = {"subject_uri": sides[0].subject[rows[0]], "relation": np.full(len(shared), self._relations, np.int16)}
        part |= {"agree": nothing, "wrong": nothing}
        if all(side.said is not None for side in sides):
            gold = np.logical_or.reduce([side.ranked.gold[place] for side, place in zip(sides, places, strict=True)])
            said = [side.said[r][:, c] for side, r, c in zip(sides, rows, columns, strict=True)]
            part |= unanimous(said, gold)._asdict()
        if len(sides) == 2:
            found = rankc(*(side.ranked.scores[place] for side, place in zip(sides, places, strict=True)), self.weights)
            part |= {"rankc": found.value, "floor": found.floor}
            part |= {name: side.p1[r] for name, side, r in zip("ab", sides, rows, strict=True)}
        return part

    def pairs(self, how: str) -> list[Pair]:
        """Every pair that shares a question; `how` the protocol averages P@1."""
        joined = [(pair, self._joined(pair)) for pair in combinations(self.langs, 2) if pair in self._parts]
        rows = [_pair(*pair, frame, how) for pair, frame in joined]
        return [row._replace(p_holm=p) for row, p in zip(rows, holm([row.p for row in rows]), strict=True)]

    def all(self) -> All | None:
        """None with fewer than three languages, or where they share nothing or do not choose among candidates."""
        every = tuple(self.langs)
        if len(every) < 3 or every not in self._parts:
            return None
        frame = self._joined(every)
        found = ratios(frame, {name: Part(frame[name].to_numpy()) for name in ("agree", "wrong")})
        agree, wrong = (drawn.estimate() for drawn in found.values())
        return agree and All(len(every), len(frame), agree, wrong)

    def _joined(self, group: tuple[str, ...]) -> pd.DataFrame:
        parts = self._parts[group]
        return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]} | {"lang": 0})


def _side(ranked: Ranked) -> _Side:
    """Answers are of one question if their keys are equal; namesakes of one subject go by their order."""
    key = ranked.frame[["item", "template"]]
    keys = pd.util.hash_pandas_object(key.assign(again=key.groupby(list(key)).cumcount()), index=False)
    said = answers(ranked.scores) if ranked.uris.size else None
    subject, p1 = (ranked.frame[name].to_numpy() for name in ("subject_uri", "p1"))
    return _Side(ranked, pd.Index(keys.to_numpy()), subject, p1.astype(float), said)


def _pair(a: str, b: str, frame: pd.DataFrame, how: str) -> Pair:
    columns = {name: frame[name].to_numpy(float) for name in ("rankc", "floor", "agree", "wrong", "a", "b")}
    both, either = known(columns["a"], columns["b"])
    alone = independent(columns["a"], columns["b"], frame["relation"].to_numpy())
    parts = {name: Part(columns[name]) for name in ("rankc", "floor", "agree", "wrong")}
    parts |= {"overlap": Part(both, either), "gap": Part(columns["a"] - columns["b"], how=how)}
    found = ratios(frame, parts)
    value, floor, gap = found["rankc"], found["floor"], found["gap"]
    above = Drawn(corrected(value.value, floor.value), corrected(value.resamples, floor.resamples))
    return Pair(
        a,
        b,
        len(frame),
        int(np.isfinite(columns["rankc"]).sum()),
        value.estimate(),
        None if np.isnan(floor.value) else floor.value,
        above.estimate(),
        found["overlap"].estimate(),
        float(alone.both.sum() / alone.either.sum()) if alone.either.any() else None,
        found["agree"].estimate(),
        found["wrong"].estimate(),
        gap.estimate(),
        uncertainty.p_value(gap.resamples),
        1.0,
    )
