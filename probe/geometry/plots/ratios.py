"""Pictures of perplexity ratios."""

from __future__ import annotations

import numpy as np

from probe.geometry.plots.colours import CONDITIONS
from probe.geometry.plots.heat import heat


def ratios(record: dict, figure) -> bool:
    """The geometric mean over pairs by layer, a line a condition with its interval; controls are broken lines."""
    names = list(dict.fromkeys(one["condition"] for one in record["means"]))
    if not names:
        return False
    figure.set_size_inches(8, 4.5)
    panel = figure.subplots()
    for name in names:
        own = [one for one in record["means"] if one["condition"] == name]
        layers, (colour, line) = [one["layer"] for one in own], CONDITIONS[name]
        value, low, high = (np.array([one["geometric"][key] for one in own]) for key in ("value", "low", "high"))
        panel.fill_between(layers, low, high, color=colour, alpha=0.15, linewidth=0)
        panel.plot(layers, value, color=colour, linestyle=line, linewidth=1.5, marker=".", label=name)
    panel.axhline(1, color="black", linewidth=0.8)
    panel.set_yscale("log")
    panel.set_xticks(record["layers"])
    panel.set(xlabel="layer", ylabel=f"{record['measure']} perplexity, times that without")
    figure.legend(loc="outside right", fontsize=8, frameon=False)
    return True


def pairs(record: dict, figure, condition: str = "other") -> bool:
    """The ratios of a condition by the language of the text (rows) and the other (columns), a panel a layer."""
    held = {
        (one["layer"], one["lang"], one["other"]): one["ratio"]["value"]
        for one in record["ratios"]
        if one["condition"] == condition and one["ratio"] is not None
    }
    others = [lang for lang in record["langs"] if any(lang == other for _, _, other in held)]
    others += sorted({other for _, _, other in held} - set(others))
    if len(others) < 2:
        return False
    layers = spread([layer for layer in record["layers"] if any(own == layer for own, _, _ in held)])
    tables = {
        f"layer {layer}": np.array([[held.get((layer, a, b), np.nan) for b in others] for a in record["langs"]])
        for layer in layers
    }
    heat(figure, tables, record["langs"], others, "perplexity ratio", log=True)
    return True


def spread(layers: list[int], most: int = 4) -> list[int]:
    """At most so many of the layers, the first and the last among them."""
    if len(layers) <= most:
        return layers
    return [layers[round(i)] for i in np.linspace(0, len(layers) - 1, most)]
