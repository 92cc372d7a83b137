"""What is kept of a run, as Arrow rows: a question with everything that any protocol needs to judge its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from probe.prompts import Question, Relation

if TYPE_CHECKING:  # at run time it would load torch, which judging a finished run has no need of
    from probe.scoring.scorer import Answer

_PLACES = pa.list_(pa.int32())
_NUMBERS = pa.list_(pa.float32())

#: One row a question. ``golds``, ``known`` and ``given`` are places in the relation's candidates. ``fault`` says why
#: there is no answer; where there is one, its parts are those of :class:`probe.scoring.scorer.Answer`, ``logprob`` and
#: ``count`` parallel to ``given``, or to all candidates where that is null. A row without facts is a prior: the prompt
#: that other rows have as ``bare``.
ITEMS = pa.schema(
    {
        "relation": pa.string(),
        "template": pa.int32(),
        "subject_uri": pa.string(),
        "subject": pa.string(),
        "prompt": pa.string(),
        "facts": pa.list_(pa.string()),
        "golds": _PLACES,
        "known": _PLACES,
        "given": _PLACES,
        "bare": pa.string(),
        "fault": pa.string(),
        "logprob": _NUMBERS,
        "count": _PLACES,
        "argmax": _PLACES,
        "normaliser": _NUMBERS,
        "texts": pa.list_(pa.string()),
        "confidence": _NUMBERS,
    }
)
_ASKED = ITEMS.names[1 : ITEMS.names.index("fault")]  # columns that are parts of a Question
_ANSWERED = ITEMS.names[ITEMS.names.index("fault") :]
#: One row a candidate, in the order that places count.
CANDIDATES = pa.schema(
    {
        "relation": pa.string(),
        "uri": pa.string(),
        "label": pa.string(),
        "tokens": pa.list_(pa.int32()),
        "aliases": pa.list_(pa.string()),
    }
)


def candidate_rows(relation: Relation) -> pa.RecordBatch:
    """A relation's candidates."""
    names = [relation.name] * len(relation.uris)
    columns = (names, relation.uris, relation.labels, relation.tokens, relation.aliases)
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, CANDIDATES.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=CANDIDATES)


def answered(relation: str, questions: Sequence[Question], answers: Sequence[Answer]) -> pa.RecordBatch:
    """Rows of questions with their answers, in the same order."""
    columns = [pa.array([relation] * len(questions), pa.string())]
    columns += [pa.array([getattr(q, name) for q in questions], ITEMS.field(name).type) for name in _ASKED]
    columns += [_column([getattr(a, name) for a in answers], ITEMS.field(name).type) for name in _ANSWERED]
    return pa.RecordBatch.from_arrays(columns, schema=ITEMS)


def _column(values: list, kind: pa.DataType) -> pa.Array:
    """A column of answers' parts; NumPy rows, which may hold thousands of numbers, are not taken apart."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return pa.array(values, kind)
    rows = [np.empty(0) if value is None else value for value in values]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    flat = pa.array(np.concatenate(rows).astype(kind.value_type.to_pandas_dtype()))
    missing = pa.array([value is None for value in values])
    return pa.ListArray.from_arrays(pa.array(offsets), flat, mask=missing)
