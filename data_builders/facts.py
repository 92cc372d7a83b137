"""The one schema: what a fact and a template are, whatever file they came from.

A fact is one thing in all languages. Its key is the publisher's uuid where there is one and
``relation|subject_uri|object_uri`` otherwise; languages join on that key and on nothing else.
Facts of a language travel as an Arrow table, because a fact set has hundreds of thousands of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

#: Columns of a table of facts in one language. Four more are optional: ``prompt``, a template that already
#: holds the subject, ``candidates``, the object URIs that this row's answer must be chosen from,
#: ``candidate_labels``, what these are called in the table's language (parallel to ``candidates``), and ``aliases``,
#: what else the object is called there.
COLUMNS = ("fact", "relation", "subject_uri", "object_uri", "subject", "object")
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
OPTIONAL = pa.schema(
    [
        ("prompt", pa.string()),
        ("candidates", pa.list_(pa.string())),
        ("candidate_labels", pa.list_(pa.string())),
        ("aliases", pa.list_(pa.string())),
    ]
)

SUBJECT, OBJECT = "[X]", "[Y]"
_SLOT = re.compile(r"(\[[XY]\])")


class Fact(NamedTuple):
    """One row: a statement in one language. ``fact`` is its language-independent key."""

    fact: str
    relation: str
    subject_uri: str
    object_uri: str
    subject: str
    object: str


class Template(NamedTuple):
    """A cloze sentence of a relation in a language, with one ``[X]`` and one ``[Y]`` anywhere in it.

    ``made`` says how it came to be: ``human``, ``human, inflection markup reduced``, ``human-checked``, ``machine``,
    ``model-written, not reviewed by native speakers`` or ``unknown``.
    """

    relation: str
    lang: str
    text: str
    made: str = "unknown"

    def fill(self, subject: str, answer: str) -> str:
        """The sentence with both slots filled; a label that itself contains a slot is left as it is."""
        return "".join({SUBJECT: subject, OBJECT: answer}.get(part, part) for part in _SLOT.split(self.text))


def fact_key(relation: str, subject_uri: str, object_uri: str) -> str:
    """The key of a fact that has no uuid."""
    return f"{relation}|{subject_uri}|{object_uri}"


def template_fault(text: str) -> str | None:
    """Why `text` is no template, or None: it needs exactly one [X] and exactly one [Y]."""
    counts = {slot: text.count(slot) for slot in (SUBJECT, OBJECT)}
    faults = [f"has no {s}" if n == 0 else f"has {n} {s}" for s, n in counts.items() if n != 1]
    return f"template {text!r} {' and '.join(faults)}; expected exactly one [X] and one [Y]" if faults else None


def row_fault(row: dict, spelled: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """Why `row` is no fact, or None. Every one of :data:`COLUMNS` must be a string that is not blank.

    `spelled` gives the names that the row's file uses for our columns, so that the message names what stands there.
    """
    for column in COLUMNS:
        value, name = row.get(column), spelled.get(column, column)
        if value is None:
            return f"has no {name}"
        if not isinstance(value, str):
            return f"{name} is {type(value).__name__}, expected text"
        if not value.strip():
            return f"{name} is blank"
    return None


def is_clean(table: pa.Table) -> bool:
    """Whether no row of `table` has a fault and no fact stands twice: the fast check before any row is looked at."""
    for name in COLUMNS:
        column = table[name]
        if column.null_count or pc.any(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0)).as_py():
            return False
    return pc.count_distinct(table["fact"]).as_py() == len(table)


def from_rows(rows: list[dict] | list[Fact]) -> pa.Table:
    """A table of facts from plain rows."""
    rows = [r._asdict() if isinstance(r, Fact) else r for r in rows]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
