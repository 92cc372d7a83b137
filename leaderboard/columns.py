"""The columns of a per-item file, and nothing that takes long to import: files are read by processes of their own."""

from __future__ import annotations

import pyarrow as pa

_NAME, _SHARE, _PLACE = pa.string(), pa.float64(), pa.int32()
#: A row is a judged answer (:data:`probe.judging.COLUMNS`), languages in the record's order and rows in the run's. Null
#: is what the protocol does not define; it never is a number.
SCHEMA = pa.schema(
    {
        "lang": _NAME,
        "relation": _NAME,
        "item": _NAME,
        "template": _PLACE,
        "subject_uri": _NAME,
        "p1": _SHARE,
        "p5": _SHARE,
        "p10": _SHARE,
        "rr": _SHARE,
        "chance": _SHARE,
        "pieces": _PLACE,
        "golds": pa.list_(_PLACE),
    }
)
#: Columns with few values, which stay dictionaries while they are read: none is ever written out a million times.
NAMES = [field.name for field in SCHEMA if field.type == _NAME]
SHARES = [field.name for field in SCHEMA if field.type == _SHARE]
