"""The picture of facts under interventions."""

from __future__ import annotations

import numpy as np

from probe.geometry.plots.colours import CONDITIONS


def facts(record: dict, figure) -> bool:
    """P@1 minus that of the model as it is, by layer, over languages (and pairs); dots are single ones."""
    if record["facts"] is None:
        return False
    rows = record["facts"]["rows"]
    names, layers = (list(dict.fromkeys(row[key] for row in rows)) for key in ("condition", "layer"))
    figure.set_size_inches(max(5, 1.5 + 1.5 * len(layers)), 4)
    panel, width = figure.subplots(), 0.8 / len(names)
    for i, name in enumerate(names):
        own = [[100 * r["difference"]["value"] for r in rows if (r["condition"], r["layer"]) == (name, layer)]
               for layer in layers]  # fmt: skip
        places, colour = np.arange(len(layers)) - 0.4 + width * (i + 0.5), CONDITIONS[name][0]
        panel.bar(places, [np.mean(one) for one in own], width, color=colour, alpha=0.6, label=name)
        for place, values in zip(places, own, strict=True):
            panel.plot(np.full(len(values), place), values, ".", color=colour, markersize=4)
    panel.axhline(0, color="black", linewidth=0.8)
    panel.set_xticks(range(len(layers)), [f"layer {layer}" for layer in layers])
    panel.set_ylabel("P@1 under it − without, points")
    figure.legend(loc="outside right", fontsize=8, frameon=False)
    return True
