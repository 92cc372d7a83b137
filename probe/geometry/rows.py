"""What a condition comes to, sequence by sequence: sums that every number is made of later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from probe.geometry.masks import Asking
    from probe.geometry.perplexity import Said
    from probe.geometry.share import Own

#: The condition of rows without any.
PLAIN = "plain"
#: A sequence of language `lang` under a condition at a layer. `other` is B, or, of a plain row, the language that what
#: is said is told from. `nll` is summed over `count` places; it is null where `bad` of them, the first at `first_bad`,
#: have logits that are not finite. `right` are as they should be; `in_own` and `in_other` are tokens of A alone and of
#: B alone among all that is said.
ROWS = pa.schema(
    {
        **dict.fromkeys(("lang", "condition", "other"), pa.string()),
        **dict.fromkeys(("layer", "sequence"), pa.int32()),
        "nll": pa.float64(),
        **dict.fromkeys(("count", "right", "bad", "first_bad", "in_own", "in_other"), pa.int32()),
    }
)


class Under(NamedTuple):
    """What rows are of."""

    lang: str
    condition: str = PLAIN
    other: str | None = None
    layer: int | None = None


def rows(under: Under, which: Sequence[int], asking: Asking, said: Said, own: Own | None) -> pa.RecordBatch:
    """A row for each of the sequences `which`; `own` are the tokens of A alone and of B alone, None without a B."""
    n, of, finite = len(which), asking.sequence, np.isfinite(said.nll)
    bad = np.bincount(of[~finite], minlength=n)
    first = np.zeros(n, int)
    first[of[~finite][::-1]] = asking.column[~finite][::-1]  # of several the first, which is written last
    in_own, in_other = ([None] * n,) * 2 if own is None else own.counts(said.predicted, of, n)
    columns = {
        **{name: [value] * n for name, value in under._asdict().items()},
        "sequence": which,
        "nll": pa.array(np.bincount(of, weights=np.where(finite, said.nll, 0), minlength=n), mask=bad > 0),
        "count": np.bincount(of, minlength=n),
        "right": np.bincount(of[said.predicted == asking.targets], minlength=n),
        "bad": bad,
        "first_bad": pa.array(first, mask=bad == 0),
        "in_own": in_own,
        "in_other": in_other,
    }
    return pa.RecordBatch.from_pydict({field.name: _cast(columns[field.name], field.type) for field in ROWS}, ROWS)


def _cast(values, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


def together(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Several batches as one."""
    return pa.Table.from_batches(parts, ROWS).combine_chunks().to_batches()[0]
