"""The picture of fits."""

from __future__ import annotations

import numpy as np

from probe.geometry.plots.colours import of


def dimensions(fits: dict, figure) -> bool:
    """Axes that hold the share of variance by layer: a line a language, and the median of all."""
    langs, layers = [*fits["fits"]["languages"]], range(fits["fits"]["layers"] + 1)
    held = {(row["lang"], row["layer"]): row["k"] for row in fits["rows"]}
    k = np.array([[held[lang, layer] for layer in layers] for lang in langs])
    figure.set_size_inches(6.5, 4)
    panel, middle = figure.subplots(), np.median(k)
    for i, (lang, own) in enumerate(zip(langs, k, strict=True)):
        panel.plot(layers, own, color=of(i), linewidth=1, marker=".", label=lang)
    panel.plot(layers, np.median(k, axis=0), color="black", linewidth=2, label="median of languages")
    panel.axhline(middle, color="black", linewidth=0.8, linestyle=":", label=f"median of all: {middle:g}")
    panel.set_xticks(layers)
    panel.set(xlabel="layer", ylabel=f"axes for {fits['variance']:.0%} of the variance, of {fits['fits']['width']}")
    panel.set_ylim(bottom=0)
    figure.legend(loc="outside right", fontsize=8, frameon=False)
    return True
