"""The optional columns of a table of facts: a prompt and candidates of a row's own, and other names of its object."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from data_builders.facts import OBJECT, OPTIONAL, SUBJECT


def extras_fault(row: dict) -> str | None:
    """What is wrong with the optional values of `row`, or None; those that are None are not looked at."""
    prompt, uris, labels, aliases = (row.get(name) for name in OPTIONAL.names)
    if prompt is not None and not (isinstance(prompt, str) and prompt.count(OBJECT) == 1 and SUBJECT not in prompt):
        return f"prompt {prompt!r} is not text with exactly one {OBJECT} and no {SUBJECT}"
    for name, values in (("candidates", uris), ("candidate_labels", labels), ("aliases", aliases)):
        if values is not None and not _are_texts(values):
            return f"{name} is not a list of texts"
    if uris is not None and row.get("object_uri") not in uris:
        return f"object {row.get('object_uri')!r} is not among the candidates {uris}"
    if labels is not None and (uris is None or len(uris) != len(labels)):
        return f"has {len(uris or ())} candidates but {len(labels)} candidate_labels"
    return None


def _are_texts(values) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) and value.strip() for value in values)


def extras_clean(table: pa.Table) -> bool:
    """Whether no row lacks an optional value that other rows have, and none has a fault: the fast check."""
    names = [name for name in OPTIONAL.names if name in table.column_names]
    if any(table[name].null_count for name in names):
        return False
    return not names or not any(map(extras_fault, table.select(["object_uri", *names]).to_pylist()))


def drop_absent(table: pa.Table) -> pa.Table:
    """`table` without the optional columns that hold nothing at all; a row of others may lack its aliases only."""
    absent = [n for n in OPTIONAL.names if n in table.column_names and not pc.any(table[n].is_valid()).as_py()]
    table = table.drop_columns(absent)
    if "aliases" not in table.column_names or not table["aliases"].null_count:
        return table
    place, field = table.column_names.index("aliases"), OPTIONAL.field("aliases")
    filled = pa.array([names or [] for names in table["aliases"].to_pylist()], field.type)
    return table.set_column(place, field, filled)
