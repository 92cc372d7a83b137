"""How languages of one run agree, two by two and all of them, on the questions that they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

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


class Agreement:
    """Collects pairs of languages relation by relation."""

    def __init__(self, langs: Sequence[str], weights: str):
        self.langs, self.weights = langs, weights
        self._parts: dict[tuple[str, ...], list[pd.DataFrame]] = defaultdict(list)

    def add(self, relation: dict[str, Ranked]) -> None:
        """Take in a relation of the languages that have it."""
        keys = {lang: _keys(ranked.frame) for lang, ranked in relation.items()}
        said = {lang: answers(ranked.scores) for lang, ranked in relation.items() if ranked.uris.size}
        groups = list(combinations([lang for lang in self.langs if lang in relation], 2))
        if len(self.langs) > 2 and len(relation) == len(self.langs):
            groups.append(tuple(self.langs))
        for group in groups:
            self._add([relation[lang] for lang in group], [keys[lang] for lang in group], said)

    def _add(self, languages: list[Ranked], keys: list[pd.Index], said: dict) -> None:
        shared = reduce(lambda one, other: one.intersection(other, sort=False), keys)
        rows = [key.get_indexer(shared) for key in keys]
        first = languages[0].frame.iloc[rows[0]]
        frame = first[["subject_uri", "relation"]].reset_index(drop=True)
        uris = reduce(np.intersect1d, [one.uris for one in languages])
        columns = [np.searchsorted(one.uris, uris) for one in languages]
        places = [np.ix_(r, c) for r, c in zip(rows, columns, strict=True)]
        frame["agree"], frame["wrong"] = np.nan, np.nan
        if said:
            gold = np.logical_or.reduce([one.gold[place] for one, place in zip(languages, places, strict=True)])
            chosen = [said[one.lang][r][:, c] for one, r, c in zip(languages, rows, columns, strict=True)]
            frame["agree"], frame["wrong"] = unanimous(chosen, gold)
        if len(languages) == 2:
            scores = (one.scores[place] for one, place in zip(languages, places, strict=True))
            frame["rankc"], frame["floor"], _ = rankc(*scores, self.weights)
            for name, one, r in zip("ab", languages, rows, strict=True):
                frame[name] = one.frame["p1"].to_numpy()[r]
        self._parts[tuple(one.lang for one in languages)].append(frame)

    def pairs(self, how: str) -> list[Pair]:
        """Every pair that shares a question; `how` the protocol averages P@1."""
        every = [(pair, self._parts.get(pair, [])) for pair in combinations(self.langs, 2)]
        joined = [(pair, pd.concat(parts, ignore_index=True)) for pair, parts in every if any(map(len, parts))]
        rows = [_pair(*pair, frame, how) for pair, frame in joined]
        return [row._replace(p_holm=p) for row, p in zip(rows, holm([row.p for row in rows]), strict=True)]

    def all(self) -> All | None:
        """None with fewer than three languages, or where they share nothing or do not choose among candidates."""
        parts = self._parts.get(tuple(self.langs), []) if len(self.langs) > 2 else []
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        if not len(frame) or frame["agree"].isna().any():
            return None
        found = ratios(frame.assign(lang=""), {name: Part(frame[name].to_numpy()) for name in ("agree", "wrong")})
        return All(len(self.langs), len(frame), *(drawn.estimate() for drawn in found.values()))


def _keys(frame: pd.DataFrame) -> pd.Index:
    """What makes answers of two languages answers to one question; namesakes of one subject go by their order."""
    key = frame[["item", "template"]]
    return pd.Index(pd.util.hash_pandas_object(key.assign(again=key.groupby(list(key)).cumcount()), index=False))


def _pair(a: str, b: str, frame: pd.DataFrame, how: str) -> Pair:
    frame = frame.assign(lang="")
    columns = {name: frame[name].to_numpy(float) for name in ("rankc", "floor", "agree", "wrong", "a", "b")}
    both, either = known(columns["a"], columns["b"])
    alone = independent(columns["a"], columns["b"], frame["relation"].to_numpy(str))
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
