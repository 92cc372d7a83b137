"""Whether a fact can be read in a language: in how many units of its text do subject and object stand together?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from probe.tracing import counting, grouping
from probe.tracing.counting import Counts
from probe.tracing.matching import Matching
from probe.tracing.names import Names, names
from probe.tracing.shuffled import shuffled
from probe.tracing.texts import Characters, Pieces, Reader
from probe.tracing.trie import Trie, build, longest, scan
from probe.tracing.unit import Unit

#: One row a fact of a language. ``units`` hold both names, ``subject_units`` and ``object_units`` each of them;
#: ``lift`` is how many times as many as if they stood independently, None where one of them never stands at all.
#: ``subject_rows`` and ``object_rows`` are passages of the corpus, as many as are kept, where the two stand together.
#: ``fault`` says why a fact cannot be looked for; its numbers are then None.
PRESENCE = pa.schema(
    [
        ("fact", pa.string()),
        ("relation", pa.string()),
        ("subject_uri", pa.string()),
        ("object_uri", pa.string()),
        ("subject", pa.string()),
        ("object", pa.string()),
        ("units", pa.int64()),
        ("subject_units", pa.int64()),
        ("object_units", pa.int64()),
        ("lift", pa.float64()),
        ("subject_rows", pa.list_(pa.int64())),
        ("object_rows", pa.list_(pa.int64())),
        ("fault", pa.string()),
    ]
)


#: One row a pair of a fact's subject and another's object (:mod:`probe.tracing.shuffled`), and how often they stand.
SHUFFLED = pa.schema([("relation", pa.string()), *(PRESENCE.field(name) for name in PRESENCE.names[6:10])])


#: Passages read at a time: few enough for their symbols to stay in a processor's cache.
ROWS = 8192


class Wanted(NamedTuple):
    """All that is looked for in a language: its facts' names, and the pairs of facts, then of shuffled facts."""

    facts: pa.Table
    names: Names
    reader: Reader
    trie: Trie
    pairs: np.ndarray
    near: counting.Adjacency
    relations: np.ndarray


def wanted(facts: pa.Table, matching: Matching, seed: int, tokenizer=None) -> Wanted:
    """What `facts` ask for. With a tokenizer, names and text are its word-pieces."""
    known = names(facts, matching)
    reader = Characters(known.names, matching.fold) if tokenizer is None else Pieces(known.names, tokenizer)
    relations = facts["relation"].to_numpy(zero_copy_only=False).astype(str)
    able = np.array([fault is None for fault in known.faults], bool)
    others, of = shuffled(known.pairs[able], relations[able], seed)
    pairs = np.concatenate([known.pairs, others])
    near = counting.adjacency(pairs, known.things)
    return Wanted(facts, known, reader, build(reader.names), pairs, near, of)


def fresh(asked: Wanted) -> Counts:
    """Nothing counted yet."""
    return counting.fresh(asked.names.things, len(asked.pairs), len(asked.facts))


def add(batch: pa.RecordBatch, first: int, asked: Wanted, overlap: str, counts: dict[Unit, Counts]) -> None:
    """Count a block of whole documents, whose first row is number `first` of the corpus, for every unit at once."""
    text = asked.reader.read(batch["text"])
    mentions = scan(text.symbols, text.rows, asked.trie)
    if overlap == "longest":
        mentions = longest(mentions)
    for unit, sums in counts.items():
        placed = grouping.place(mentions, text, batch, unit)
        rows = placed.mentions.row.astype(np.int64) + first
        known = asked.names.owners, asked.names.starts, asked.near, asked.pairs
        counting.count(placed.unit, rows, *placed.mentions[1:], *known, sums)
        sums.units[0] += placed.units


class Found(NamedTuple):
    """The presence of a language: its facts (:data:`PRESENCE`), shuffled ones (:data:`SHUFFLED`), and how much text.

    ``named``: how many of the things that were looked for stand somewhere, of how many.
    """

    table: pa.Table
    shuffled: pa.Table
    units: int
    named: tuple[int, int]


def found(asked: Wanted, counts: Counts) -> Found:
    """What has been counted, as tables."""
    facts, faults = asked.facts, asked.names.faults
    bad = np.array([fault is not None for fault in faults], bool)
    columns = [facts[name].combine_chunks() for name in PRESENCE.names[:6]]
    columns += _numbers(asked.names.pairs, counts.pairs[: len(facts)], counts, bad)
    columns += [_rows(counts.evidence[:, :, side], bad) for side in (0, 1)]
    columns.append(pa.array(faults, pa.string()))
    others = asked.pairs[len(facts) :]
    numbers = _numbers(others, counts.pairs[len(facts) :], counts, np.zeros(len(others), bool))
    looked = np.unique(asked.names.owners)
    return Found(
        pa.Table.from_arrays(columns, schema=PRESENCE),
        pa.Table.from_arrays([pa.array(asked.relations.tolist(), pa.string()), *numbers], schema=SHUFFLED),
        int(counts.units[0]),
        (int((counts.things[looked] > 0).sum()), len(looked)),
    )


def _numbers(pairs: np.ndarray, together: np.ndarray, counts: Counts, bad: np.ndarray) -> list[pa.Array]:
    """Units that hold both, each alone, and the lift; no number is invented for a pair that is `bad`."""
    alone = counts.things[pairs[:, 0]], counts.things[pairs[:, 1]]
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = together * float(counts.units[0]) / (alone[0].astype(float) * alone[1])
    return [*(pa.array(values, mask=bad) for values in (together, *alone)), pa.array(lift, mask=bad | np.isnan(lift))]


def _rows(kept: np.ndarray, bad: np.ndarray) -> pa.Array:
    """Passages of evidence, as many as there are of each fact."""
    there = kept >= 0
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(kept[there]), mask=pa.array(bad))


def blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Blocks of whole documents with the number of their first row."""
    first = 0
    for batch in grouping.whole_documents(batches):
        yield first, batch
        first += len(batch)
