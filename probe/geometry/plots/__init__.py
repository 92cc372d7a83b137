"""Pictures of a geometry, each from its records alone: what was fitted, ratios, distances and axes, by these names."""

from __future__ import annotations

from collections.abc import Callable

from probe.geometry.plots.axes import axes_2d, axes_3d, stability
from probe.geometry.plots.distances import distances, tree
from probe.geometry.plots.facts import facts
from probe.geometry.plots.fits import dimensions
from probe.geometry.plots.ratios import pairs, ratios
from probe.pictures import Picture


def _part(name: str, draw: Callable[[dict, object], bool]) -> Picture:
    """A picture of one of the records, where that is there."""
    return lambda record, figure: record.get(name) is not None and draw(record[name], figure)


#: Every picture by its file's name. Adding one is a line here and its caption.
PICTURES: dict[str, Picture] = {
    "dimensions": _part("fits", dimensions),
    "ratio": _part("ratio", ratios),
    "ratio-pairs": _part("ratio", pairs),
    "facts": _part("ratio", facts),
    "distance": _part("distance", distances),
    "tree": _part("distance", tree),
    "axes-2d": _part("axes", axes_2d),
    "axes-3d": _part("axes", axes_3d),
    "stability": _part("axes", stability),
}
CAPTIONS = {
    "dimensions": "How many axes hold the variance, layer by layer",
    "ratio": "Perplexity under projections and shifts, times what it is without",
    "ratio-pairs": "Perplexity in another language's subspace, pair by pair",
    "facts": "P@1 of facts under projections and shifts, minus what it is without",
    "distance": "How far languages lie apart",
    "tree": "Languages by their distances",
    "axes-2d": "Along the first two axes of languages, positions and parts of speech",
    "axes-3d": "Languages along their first three axes",
    "stability": "Axes of a layer beside those of the middle layer",
}
