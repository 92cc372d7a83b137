"""A hash of facts and templates: equal for equal content, whatever file format or row order it came in."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.facts import Template


def digest_of(lang: str, table: pa.Table, templates: list[Template]) -> bytes:
    """SHA-256 of a language's facts (in order of their keys) and templates (in their own order)."""
    digest = hashlib.sha256(lang.encode())
    table = table.take(pc.sort_indices(table["fact"])).combine_chunks()
    for name in sorted(table.column_names):
        column = table[name].combine_chunks()
        while pa.types.is_list(column.type):
            digest.update(np.asarray(column.value_lengths()).astype("<i4").tobytes())
            column = column.flatten()
        digest.update(np.asarray(pc.binary_length(column)).astype("<i4").tobytes())
        digest.update("".join(column.to_pylist()).encode())
    for t in templates:
        digest.update("\0".join((t.relation, t.text)).encode() + b"\n")
    return digest.digest()
