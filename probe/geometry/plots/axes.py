"""Pictures of the axes that tell languages, positions and parts of speech apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from probe.geometry.plots.colours import of
from probe.geometry.plots.ratios import spread

_TITLES = {"language": "languages", "position": "positions", "pos": "parts of speech"}


def axes_2d(record: dict, figure) -> bool:
    """A row a kind of classes, a panel a layer: languages with an ellipse that holds half of their tokens, positions as
    a line from the first on, parts of speech by name; of the latter two a colour a language."""
    kinds = [kind for kind in record["kinds"] if any(_drawn(layer, 1) for layer in kind["layers"])]
    if not kinds:
        return False
    shown = {kind["kind"]: _layers(kind, 1, 3) for kind in kinds}
    wide = max(map(len, shown.values()))
    figure.set_size_inches(1 + 3.6 * wide, 0.6 + 3.2 * len(kinds))
    panels = figure.subplots(len(kinds), wide, squeeze=False)
    for line, kind in zip(panels, kinds, strict=True):
        for panel, layer in zip(line, shown[kind["kind"]], strict=False):
            for number, lang in enumerate(kind["langs"]):
                _DRAW[kind["kind"]](panel, [p for p in layer["points"] if p["lang"] == lang], of(number))
            panel.set_title(f"{_TITLES[kind['kind']]}, layer {layer['layer']}", fontsize=9, loc="left")
            _label(panel, layer)
        for panel in line[len(shown[kind["kind"]]) :]:
            panel.remove()
    return True


def axes_3d(record: dict, figure) -> bool:
    """Languages' means along their first three axes, a panel a layer."""
    kind = next((own for own in record["kinds"] if own["kind"] == "language"), None)
    layers = _layers(kind, 2, 3) if kind else []
    if not layers:
        return False
    figure.set_size_inches(4.2 * len(layers), 4)
    for number, layer in enumerate(layers, 1):
        panel = figure.add_subplot(1, len(layers), number, projection="3d")
        for i, point in enumerate(layer["points"]):
            at = point["at"][:3]
            panel.plot(*[[value, value] for value in at[:2]], [0, at[2]], color=of(i), linewidth=0.8)
            panel.scatter(*at, color=of(i), s=16)
            panel.text(*at, f" {point['lang']}", fontsize=8)
        panel.set_title(f"layer {layer['layer']}", fontsize=9, loc="left")
        panel.tick_params(labelsize=6)
    return True


def stability(record: dict, figure) -> bool:
    """The angle between a layer's first axes and the middle layer's, beside the floor and what random axes have."""
    kinds = {kind["kind"]: [(layer["layer"], layer["stable"]) for layer in kind["layers"] if layer["stable"]]
             for kind in record["kinds"]}  # fmt: skip
    kinds = {name: rows for name, rows in kinds.items() if len(rows) > 1}
    if not kinds:
        return False
    figure.set_size_inches(1.5 + 3.6 * len(kinds), 3.6)
    panels = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for panel, (name, rows) in zip(panels, kinds.items(), strict=True):
        for key, colour, line in (("angle", "#2166ac", "-"), ("floor", "#92c5de", "--"), ("chance", "#737373", "--")):
            known = [(layer, own[key]) for layer, own in rows if own[key] is not None]
            if known:
                panel.plot(*zip(*known, strict=True), color=colour, linestyle=line, marker=".", label=key)
        panel.set_title(f"{_TITLES[name]}; middle layer {record['middle']}", fontsize=9, loc="left")
        panel.set_xticks([layer for layer, _ in rows])
        panel.set(xlabel="layer", ylim=(0, 95))
    panels[0].set_ylabel("mean principal angle, degrees")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right", fontsize=8, frameon=False)
    return True


def _layers(kind: dict, axes: int, most: int) -> list[dict]:
    """Some of the layers that have points along so many axes, and one more."""
    return spread([layer for layer in kind["layers"] if _drawn(layer, axes)], most)


def _drawn(layer: dict, axes: int) -> bool:
    return bool(layer["points"]) and len(layer["points"][0]["at"]) > axes


def _languages(panel, points: list[dict], colour) -> None:
    for point in points:
        x, y = point["at"][:2]
        if point["spread"] is not None:
            panel.plot(*_ellipse(x, y, np.array(point["spread"])[:2, :2]), color=colour, linewidth=0.8, alpha=0.6)
        panel.plot(x, y, "o", color=colour, markersize=4)
        panel.annotate(point["lang"], (x, y), xytext=(3, 3), textcoords="offset points", fontsize=8)


def _positions(panel, points: list[dict], colour) -> None:
    at = np.array([point["at"][:2] for point in points])
    if len(at):
        panel.plot(*at.T, color=colour, linewidth=0.8, marker=".", markersize=3)
        panel.plot(*at[0], "o", color=colour, markersize=4)


def _pos(panel, points: list[dict], colour) -> None:
    for point in points:
        panel.plot(*point["at"][:2], ".", color=colour, markersize=4)
        panel.annotate(point["name"], point["at"][:2], fontsize=5, color=colour)


def _ellipse(x: float, y: float, covariance: np.ndarray) -> Iterator[np.ndarray]:
    """A contour of the normal distribution that holds half of it."""
    values, vectors = np.linalg.eigh(covariance)
    turn = np.linspace(0, 2 * np.pi, 60)
    reach = np.sqrt(2 * np.log(2) * np.maximum(values, 0))  # the median of chi with two degrees of freedom
    return iter(vectors @ (reach[:, None] * np.array([np.cos(turn), np.sin(turn)])) + np.array([[x], [y]]))


def _label(panel, layer: dict) -> None:
    """Each axis with its share of what lies between classes."""
    share = [f"axis {i}: {own['of_between']:.1%} of what is between" for i, own in enumerate(layer["axes"][:2], 1)]
    panel.set(xlabel=share[0], ylabel=share[1])
    panel.tick_params(labelsize=7)
    panel.xaxis.label.set_size(7)
    panel.yaxis.label.set_size(7)


_DRAW = {"language": _languages, "position": _positions, "pos": _pos}
