"""Colours that mean the same in all pictures of a geometry; they are told apart without red and green, too."""

from __future__ import annotations

#: The published conditions are drawn in full, their controls broken and paler.
CONDITIONS = {
    "own": ("#2166ac", "-"),
    "other": ("#b2182b", "-"),
    "other-own-mean": ("#e08214", "-"),
    "shift": ("#762a83", "-"),
    "shift-project": ("#c51b7d", "-"),
    "shared": ("#1b7837", "-"),
    "centre": ("#5aae61", "-"),
    "centre(test)": ("#a6dba0", "-"),
    "erase": ("#35978f", "-"),
    "full": ("#000000", ":"),
    "random": ("#737373", "--"),
    "pooled": ("#67a9cf", "--"),
    "again": ("#92c5de", "--"),
    "shift-again": ("#c2a5cf", "--"),
}


def of(number: int) -> tuple[float, ...]:
    """A colour for each of many: ten clear ones, then their pale kin."""
    from matplotlib import colormaps

    tens, place = divmod(number % 20, 10)
    return colormaps["tab20"](2 * place + tens)
