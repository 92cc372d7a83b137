"""What a variant cost to make and costs to keep, as its own files say."""

from __future__ import annotations

from collections.abc import Sequence

from data_builders.folder import read_json
from fine_tuning.variants.folder import TIMING, Variant
from probe.variants.record import Cost


def cost(variants: Sequence[Variant]) -> Cost:
    """Of variants that are applied together."""
    timings = [read_json(v.folder / TIMING) if (v.folder / TIMING).is_file() else {} for v in variants]
    stored = sum(v.about.stored for v in variants)
    return Cost(
        trained=sum(v.about.trained for v in variants),
        stored=stored,
        density=stored / variants[0].about.base.parameters,
        bytes=sum(v.bytes for v in variants),
        seconds=_known(sum, [t.get("seconds") for t in timings]),
        peak_mb=_known(max, [t.get("peak_mb") for t in timings]),
    )


def _known(how, values: list):
    return None if None in values else how(values)
