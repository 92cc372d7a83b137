"""Perplexity ratios from a sweep's rows: by language and layer, averaged over languages, and set against each other.

A ratio is exp of the mean over tokens of how much −log p rises. Chang, Tu & Bergen's script gives perplexities, exp of
a mean over batches, and draws other masks for every condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_builders.errors import FactrootsError
from probe import uncertainty
from probe.corrections import holm
from probe.geometry.measured import Key, Measured, interval
from probe.geometry.ratio_record import Broken, Contrast, FactsRow, Mean, Plain, Ratio
from probe.geometry.rows import PLAIN

Row = TypeVar("Row", Contrast, FactsRow)
#: What is set against what, where both were measured: a condition, and what it is read beside.
CONTRASTS = (
    ("own", "random"),
    ("own", "pooled"),
    ("own", "again"),
    ("other", "own"),
    ("other", "again"),
    ("other", "other-own-mean"),
    ("shift", "shift-again"),
    ("shift-project", "shift"),
)


def plain_rows(found: Sequence[Measured]) -> list[Plain]:
    """The languages without any condition. Raises FactrootsError where a model says nothing that is finite of one."""
    rows = []
    for one in found:
        at = one.keys.index(Key(PLAIN, "", -1))
        if not one.plain_count:
            raise FactrootsError(
                f"no sequence of {one.lang} has logits that are all finite, so that there is nothing to compare with; "
                "fit in float32 (probe geometry fit --dtype float32), or choose another --model"
            )
        rows.append(
            Plain(
                lang=one.lang,
                sequences=int(one.sequences[at]),
                left_out=int(one.left_out[at]),
                count=one.plain_count,
                perplexity=interval(one.plain[:, 0], np.exp),
                accuracy=interval(one.plain[:, 1]),
            )
        )
    return rows


def ratio_rows(found: Sequence[Measured]) -> list[Ratio]:
    """Every condition at every layer."""
    return [
        Ratio(
            lang=one.lang,
            other=key.other or None,
            condition=key.condition,
            layer=key.layer,
            sequences=int(one.sequences[k]),
            left_out=int(one.left_out[k]),
            ratio=interval(one.log[:, k], np.exp),
            accuracy=interval(one.accuracy[:, k]),
            gained=interval(one.gained[:, k]),
            in_own=one.share(k, 0),
            in_other=one.share(k, 1),
        )
        for one in found
        for k, key in enumerate(one.keys)
        if key.condition != PLAIN
    ]


def mean_rows(found: Sequence[Measured]) -> list[Mean]:
    """The same over all pairs of languages."""
    rows = []
    for condition, layer in _kinds(found):
        log, gained = (
            np.stack([getattr(one, name)[:, k] for one, k in _places(found, condition, layer)], axis=1)
            for name in ("log", "gained")
        )
        known = ~np.isnan(log[0])
        if known.any():
            log, gained = log[:, known], gained[:, known]
            rows.append(
                Mean(
                    condition=condition,
                    layer=layer,
                    pairs=int(known.sum()),
                    geometric=interval(log.mean(axis=1), np.exp),
                    arithmetic=interval(np.exp(log).mean(axis=1)),
                    gained=interval(gained.mean(axis=1)),
                )
            )
    return rows


def _kinds(found: Sequence[Measured]) -> list[tuple[str, int]]:
    return [*dict.fromkeys((k.condition, k.layer) for one in found for k in one.keys if k.condition != PLAIN)]


def _places(found: Sequence[Measured], condition: str, layer: int) -> Iterator[tuple[Measured, int]]:
    for one in found:
        yield from ((one, i) for i, key in enumerate(one.keys) if (key.condition, key.layer) == (condition, layer))


def contrast_rows(found: Sequence[Measured], contrasts: Sequence[tuple[str, str]] = CONTRASTS) -> list[Contrast]:
    """Conditions against each other, for languages and others that have both; p-values corrected over the layers."""
    rows, kinds = [], _kinds(found)
    for condition, against in contrasts:
        family = []
        for layer in [layer for name, layer in kinds if name == condition and (against, layer) in kinds]:
            apart = [one.log[:, i] - one.log[:, j] for one, i, j in _pairs(found, condition, against, layer)]
            known = [own for own in apart if not np.isnan(own[0])]
            if not known:
                continue
            mean = np.mean(known, axis=0)
            p = uncertainty.p_value(mean[1:][~np.isnan(mean[1:])])
            family.append(
                Contrast(
                    condition=condition,
                    against=against,
                    layer=layer,
                    pairs=len(known),
                    quotient=interval(mean, np.exp),
                    p=p,
                    p_holm=p,
                )
            )
        rows += corrected(family)
    return rows


def corrected(rows: Sequence[Row]) -> list[Row]:
    """Rows of one question with their p-values corrected for all of them (Holm 1979)."""
    p_values = holm([row.p for row in rows])
    return [row.model_copy(update={"p_holm": p}) for row, p in zip(rows, p_values, strict=True)]


def _pairs(found: Sequence[Measured], condition: str, against: str, layer: int) -> Iterator[tuple[Measured, int, int]]:
    """Places of the condition, and of what it is set against: with the same B, or with none."""
    for one, i in _places(found, condition, layer):
        for other in (one.keys[i].other, ""):
            if (key := Key(against, other, layer)) in one.keys:
                yield one, i, one.keys.index(key)
                break


def broken_rows(tables: Sequence[pa.Table]) -> list[Broken]:
    """Where logits are not finite, by condition; of a plain pass once."""
    rows = []
    for table in tables:
        frame = table.filter(pc.greater(table["bad"], 0)).to_pandas()
        frame = frame[(frame["condition"] != PLAIN) | frame["other"].isna()]
        for (condition, other, layer), own in frame.groupby(list(Key._fields), sort=False, dropna=False):
            first = own.iloc[0]
            rows.append(
                Broken(
                    lang=first["lang"],
                    other=None if other != other or other is None else other,
                    condition=condition,
                    layer=None if np.isnan(layer) else int(layer),
                    places=int(own["bad"].sum()),
                    sequence=int(first["sequence"]),
                    place=int(first["first_bad"]),
                )
            )
    return rows
