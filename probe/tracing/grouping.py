"""From whole documents to numbered units: which of them each mention stands in, for every kind of unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from probe.tracing.folding import Symbols
from probe.tracing.texts import tokens
from probe.tracing.trie import Mentions
from probe.tracing.unit import Unit

#: The columns of a passage whose change begins another unit; a window's are counted off in its document.
KEYS = {
    "sentence": ("document", "paragraph", "sentence"),
    "paragraph": ("document", "paragraph"),
    "abstract": ("document",),
    "article": ("document",),
    "window": ("document",),
}

#: What has to be read of a corpus.
COLUMNS = ("document", "paragraph", "sentence", "lead", "text")


class Placed(NamedTuple):
    """Mentions sorted by ``unit``, and how many units there are, mentioning or not; rows are those of the block."""

    unit: np.ndarray
    mentions: Mentions
    units: int


def whole_documents(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, cut so that no document goes over a cut."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        documents = batch["document"].to_numpy()
        if not len(documents):
            continue
        cut = int(np.searchsorted(documents, documents[-1]))
        if cut or (held and held[-1]["document"][-1].as_py() != documents[0]):
            yield from _joined([*held, batch.slice(0, cut)])
            held = []
        held.append(batch.slice(cut))
    yield from _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if batches := [batch for batch in batches if len(batch)]:
        yield pa.concat_batches(batches) if len(batches) > 1 else batches[0]


def place(mentions: Mentions, text: Symbols, batch: pa.RecordBatch, unit: Unit) -> Placed:
    """The mentions of a block of whole documents by unit."""
    group = _groups(batch, KEYS[unit.kind])
    if unit.kind == "window":
        return _windows(mentions, text, group, unit)
    if unit.kind != "abstract":
        return Placed(group[mentions.row], mentions, int(group[-1]) + 1)
    lead = batch["lead"].to_numpy(zero_copy_only=False)
    inside = Mentions(*(part[lead[mentions.row]] for part in mentions))
    return Placed(group[inside.row], inside, len(np.unique(group[lead])))


def _groups(batch: pa.RecordBatch, keys: tuple[str, ...]) -> np.ndarray:
    changed = np.zeros(len(batch), bool)
    for key in keys:
        values = batch[key].to_numpy()
        changed[1:] |= values[1:] != values[:-1]
    return np.cumsum(changed)


def _windows(mentions: Mentions, text: Symbols, group: np.ndarray, unit: Unit) -> Placed:
    """A window holds a mention that lies in it wholly; an article's last window is the first that reaches its end."""
    begun, totals = tokens(*text)
    before = np.cumsum(totals) - totals
    first = np.flatnonzero(np.diff(group, prepend=-1))  # the first row of each document
    before -= before[first][group]
    lengths = np.add.reduceat(totals, first) if len(first) else totals
    at = text.rows[mentions.row]
    begin = before[mentions.row] + np.maximum(begun[at + mentions.start] - 1, 0)
    end = before[mentions.row] + begun[at + mentions.stop - 1]
    last = _windows_before(lengths, unit)
    base = np.cumsum(last + 1) - (last + 1)
    own = group[mentions.row]
    low, high = _windows_before(end, unit), np.minimum(begin // unit.stride, last[own])
    often = np.maximum(0, high - low + 1)
    which = np.repeat(np.arange(len(often)), often)
    number = base[own[which]] + low[which] + np.arange(len(which)) - np.repeat(np.cumsum(often) - often, often)
    order = np.argsort(number, kind="stable")
    found = Mentions(*(part[which][order] for part in mentions))
    return Placed(number[order], found, int((last + 1).sum()))


def _windows_before(end: np.ndarray, unit: Unit) -> np.ndarray:
    """The first window that reaches token `end`."""
    return np.maximum(0, -((unit.size - end) // unit.stride))
