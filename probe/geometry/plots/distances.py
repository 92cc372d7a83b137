"""Pictures of distances between languages."""

from __future__ import annotations

import numpy as np

from probe.geometry.plots.heat import heat
from probe.geometry.plots.ratios import spread

#: What is drawn of the measures: the published one first.
_PREFERRED = ("riemann", "angles", "means", "offset")


def distances(record: dict, figure) -> bool:
    """The distance of every two languages, a panel a layer; each language's own floor stands on the diagonal."""
    name = next(one for one in _PREFERRED if one in record["measures"])
    made = {layer["layer"]: layer for layer in record["layers"] if layer["pairs"]}
    tables, order, langs = {}, {}, record["langs"]
    for number in spread(list(made)):
        table, title = np.full((len(langs), len(langs)), np.nan), f"layer {number}"
        for one in made[number]["pairs"]:
            if one["measure"] == name:
                i, j = langs.index(one["lang"]), langs.index(one["other"])
                table[i, j] = table[j, i] = one["value"]
        for one in made[number]["floors"]:
            if one["measure"] == name:
                table[(langs.index(one["lang"]),) * 2] = one["value"]
        found = next((own["order"] for own in made[number]["maps"] if own["measure"] == name), langs)
        tables[title], order[title] = table, found
    heat(figure, tables, langs, langs, f"{name} (diagonal: from itself)", order=order)
    return True


def tree(record: dict, figure) -> bool:
    """The languages at the middle one of the layers: placed in the plane, and as a tree."""
    from scipy.cluster.hierarchy import dendrogram

    name = next(one for one in _PREFERRED if one in record["measures"])
    mapped = [(layer["layer"], own) for layer in record["layers"] for own in layer["maps"] if own["measure"] == name]
    mapped = [(layer, own) for layer, own in mapped if len(own["langs"]) > 2]
    if not mapped:
        return False
    layer, own = mapped[len(mapped) // 2]
    figure.set_size_inches(9, 4)
    left, right = figure.subplots(1, 2)
    points = np.array(own["points"])
    x, y = points[:, 0], points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))
    left.scatter(x, y, s=14, color="#2166ac")
    for lang, a, b in zip(own["langs"], x, y, strict=True):
        left.annotate(lang, (a, b), xytext=(3, 3), textcoords="offset points", fontsize=8)
    left.margins(0.15)
    left.set_aspect("equal", adjustable="datalim")
    shown = f"layer {layer}, {name}: {own['share']:.0%} in the plane, stress {own['stress']:.2f}"
    left.set_title(shown, fontsize=9, loc="left")
    dendrogram(np.array(own["merges"]), labels=own["langs"], ax=right, color_threshold=0,
               above_threshold_color="#2166ac", orientation="left", leaf_font_size=8)  # fmt: skip
    right.set_title("average linkage", fontsize=9, loc="left")
    right.set_xlabel(name)
    for side in ("top", "right", "left"):
        right.spines[side].set_visible(False)
    return True
