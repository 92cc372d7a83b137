"""What is kept of a run, as Arrow rows: a question with everything that any protocol needs to judge its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from probe.prompts import Question, Relation

if TYPE_CHECKING:  # at run time it would load torch, which judging a finished run has no need of
    from probe.scoring.masked import Scores

_PLACES = pa.list_(pa.int32())

#: One row a question. ``golds``, ``known`` and ``given`` are places in the relation's candidates; ``logprob`` runs
#: parallel to ``given``, or to all candidates where that is null. ``fault`` says why there is no answer.
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
        "fault": pa.string(),
        "logprob": pa.list_(pa.float32()),
        "argmax": _PLACES,
    }
)
#: One row a candidate, in the order that places count.
CANDIDATES = pa.schema(
    {"relation": pa.string(), "uri": pa.string(), "label": pa.string(), "tokens": pa.list_(pa.int32())}
)


def candidate_rows(relation: Relation) -> pa.RecordBatch:
    """A relation's candidates."""
    columns = ([relation.name] * len(relation.uris), relation.uris, relation.labels, relation.tokens)
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, CANDIDATES.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=CANDIDATES)


def answered(relation: str, questions: Sequence[Question], scores: Scores) -> pa.RecordBatch:
    """Rows of questions with their scores, in the same order."""
    pairs = zip(questions, scores.logprob, strict=True)
    logprob = [row if q.given is None else row[list(q.given)] for q, row in pairs]
    return _rows(relation, questions, [None] * len(questions), _lists(logprob), _lists(list(scores.argmax)))


def unanswered(relation: str, faults: Sequence[tuple[Question, str]]) -> pa.RecordBatch:
    """Rows of questions that could not be asked, each with its reason."""
    questions, faults = zip(*faults, strict=True)
    nothing = [None] * len(questions)
    return _rows(
        relation, questions, faults, pa.array(nothing, ITEMS.field("logprob").type), pa.array(nothing, _PLACES)
    )


def _rows(relation: str, questions, faults, logprob: pa.Array, argmax: pa.Array) -> pa.RecordBatch:
    columns = [pa.array([relation] * len(questions), pa.string())]
    for name in ("template", "subject_uri", "subject", "prompt", "facts", "golds", "known", "given"):
        columns.append(pa.array([getattr(q, name) for q in questions], ITEMS.field(name).type))
    return pa.RecordBatch.from_arrays([*columns, pa.array(faults, pa.string()), logprob, argmax], schema=ITEMS)


def _lists(rows: list[np.ndarray]) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(rows)))
