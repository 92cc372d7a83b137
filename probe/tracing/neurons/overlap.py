"""Do languages have a fact in the same neurons? Overlaps of first neurons, always beside what facts share anyway.

Zhao et al. (EACL 2024) report the mean Jaccard index of the first 50 neurons of the same fact in two languages. Any
two facts of a relation share neurons too, for they are asked in the same words and often have answers alike: their
overlap, in the same pair of languages, is the null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from probe.estimates import Estimate, Part, ratios

#: One row a fact and pair of languages, each pair once. ``null_mean``, ``null_sd`` and ``p`` are over ``null_pairs``
#: pairs of facts; they are null where the relation has no other fact in both languages.
OVERLAPS = pa.schema(
    {
        "fact": pa.string(),
        "relation": pa.string(),
        "subject_uri": pa.string(),
        "lang": pa.string(),
        "other": pa.string(),
        "jaccard": pa.float64(),
        "null_mean": pa.float64(),
        "null_sd": pa.float64(),
        "p": pa.float64(),
        "null_pairs": pa.int64(),
    }
)
_CELLS = 1 << 22  # pairs of facts held at a time


def overlaps(tops: pa.Table) -> pa.Table:
    """The overlap of every fact's first neurons in every two languages that have them (:data:`OVERLAPS`).

    `tops` is as :data:`probe.tracing.neurons.find.NEURONS` has it. Fact f's null are the pairs of f in one language
    and another fact of its relation in the other, both ways round, over the facts that both languages have; p is
    (c + 1) / (n + 1), c of the n reaching f's own overlap. If facts had nothing to do with it, p would be even.
    """
    names = list(dict.fromkeys(tops["lang"].to_pylist()))
    parts = [part for relation, rows in _by(tops, "relation") for part in _relation(relation, rows, names)]
    return pa.Table.from_batches(parts, OVERLAPS)


def _by(table: pa.Table, column: str) -> Iterator[tuple[str, pa.Table]]:
    for name in sorted(pc.unique(table[column]).to_pylist()):
        yield name, table.filter(pc.equal(table[column], name))


def _relation(relation: str, rows: pa.Table, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    held = {lang: _Members(own) for lang, own in _by(rows, "lang")}
    width = max(members.neurons.shape[1] for members in held.values())
    for lang, other in combinations([name for name in names if name in held], 2):
        a, b = held[lang], held[other]
        common = sorted(a.row.keys() & b.row.keys())
        if not common:
            continue
        found = jaccards(a.of(common, width), b.of(common, width))
        named = ([name] * len(common) for name in (relation, lang, other))
        relations, langs, others = (pa.array(own, pa.string()) for own in named)
        columns = [
            pa.array(common),
            relations,
            pa.array([a.subject[a.row[fact]] for fact in common]),
            langs,
            others,
            *(pa.array(part, from_pandas=True) for part in found),
            pa.array(np.full(len(common), 2 * (len(common) - 1))),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=OVERLAPS)


class _Members:
    """The facts of a relation in a language: their rows, subjects, and which neurons are theirs [facts, neurons]."""

    def __init__(self, rows: pa.Table):
        self.row = {fact: i for i, fact in enumerate(rows["fact"].to_pylist())}
        self.subject = rows["subject_uri"].to_pylist()
        lists = rows["neurons"].combine_chunks()
        counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        index, offsets = lists.flatten().to_numpy(), np.concatenate([[0], counts.cumsum()])
        ones, width = np.ones(len(index), np.float32), int(index.max(initial=0)) + 1
        self.neurons = csr_array((ones, index, offsets), shape=(len(rows), width))

    def of(self, facts: Sequence[str], width: int) -> csr_array:
        own = self.neurons[[self.row[fact] for fact in facts]]
        own.resize(own.shape[0], width)
        return own


class Jaccards(NamedTuple):
    """Of n facts: their own overlap, the mean and the standard deviation of their null's, and p; NaN where n is 1."""

    own: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    p: np.ndarray


def jaccards(a: csr_array, b: csr_array) -> Jaccards:
    """From which neurons are each fact's in two languages, 0 or 1 [n, neurons]; every two facts are compared."""
    n, size, there, turned = a.shape[0], a.sum(axis=1), b.sum(axis=1), b.T.tocsr()
    own = _jaccard(a.multiply(b).sum(axis=1), size, there)
    sums, squares, reached = np.zeros(n), np.zeros(n), np.zeros(n)
    step = max(1, _CELLS // n)
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        mine = np.arange(rows.start, rows.stop)
        table = _jaccard((a[rows] @ turned).toarray(), size[rows, None], there[None, :])
        table[mine - start, mine] = 0
        for sum_, values in ((sums, table), (squares, table**2)):
            sum_[rows] += values.sum(axis=1)
            sum_ += values.sum(axis=0)
        table[mine - start, mine] = -1  # no fact's own overlap is of its null
        reached[rows] += (table >= own[rows, None]).sum(axis=1)
        reached += (table >= own).sum(axis=0)
    pairs_ = 2 * (n - 1)
    if not pairs_:
        return Jaccards(own, *np.full((3, n), np.nan))
    mean = sums / pairs_
    deviation = np.sqrt(np.maximum(squares / pairs_ - mean**2, 0))  # rounding may take it below zero
    return Jaccards(own, mean, deviation, (reached + 1) / (pairs_ + 1))


def _jaccard(both: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return both.astype(np.float64) / (a + b - both)


class Pair(NamedTuple):
    """Two languages (or "" for all pairs): so many facts, their mean overlap, their null's, and what is over it."""

    lang: str
    other: str
    facts: int
    overlap: Estimate
    null: Estimate
    excess: Estimate


def pairs(table: pa.Table) -> list[Pair]:
    """The mean overlaps of every two languages, and of all pairs alike, with intervals over subjects.

    Facts without a null take no part. There is no pair of a language with itself: with the zeros of that diagonal
    counted in, Zhao et al. print 0.246 for what is 0.255.
    """
    frame = table.filter(pc.is_valid(table["null_mean"])).to_pandas()
    found = [
        _pair(lang, other, rows) for (lang, other), rows in frame.groupby(["lang", "other"], sort=False, observed=True)
    ]
    if len(found) > 1:
        # a pair weighs as much as any other, however many facts it has
        frame["relation"] = ""
        frame["lang"] = frame["lang"] + "|" + frame["other"]
        found.append(_pair("", "", frame, "macro"))
    return found


def _pair(lang: str, other: str, rows, how: str = "micro") -> Pair:
    values = {
        "overlap": rows["jaccard"],
        "null": rows["null_mean"],
        "excess": rows["jaccard"] - rows["null_mean"],
    }
    drawn = ratios(rows, {name: Part(value.to_numpy(), how=how) for name, value in values.items()})
    return Pair(lang, other, len(rows), *(drawn[name].estimate() for name in values))
