"""How a comparison's numbers are written, on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence


def percent(interval: dict) -> str:
    return f"{100 * interval['value']:.1f}"


def signed(interval: dict) -> str:
    """A difference in percentage points with its interval."""
    return f"{100 * interval['value']:+.1f} [{100 * interval['low']:+.1f}, {100 * interval['high']:+.1f}]"


def p_value(p: float) -> str:
    return "<.001" if p < 0.0005 else f"{p:.3f}".removeprefix("0")


def floor(record: dict, rows: Sequence[dict]) -> str:
    """What the resamples cannot show: p has a least value, which the correction multiplies by the number of rows."""
    least = 2 / (record["ci"]["resamples"] + 1)
    return f"no p of {len(rows)} rows can be below {min(1.0, least * len(rows)):.3f}, whatever the difference"


def size(number: float | None) -> str:
    """Bytes as people read them."""
    if number is None:
        return "–"
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number:.0f} B"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def costs(cost: dict) -> list[str]:
    """Trained, stored, density, disk, time, memory."""
    numbers = [f"{cost['trained']:,}", f"{cost['stored']:,}", f"{100 * cost['density']:.2f} %"]
    return [*numbers, size(cost["bytes"]), duration(cost["seconds"]), size(cost["peak_mb"] and 1e6 * cost["peak_mb"])]


#: What stands over :func:`costs`.
COSTS = ("trained", "stored", "density", "disk", "time", "memory")
