"""Tables of numbers as panels of colours that share one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def heat(
    figure,
    tables: Mapping[str, np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
    label: str,
    log: bool = False,
    order: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Draw each table [rows, columns] under its name, with its numbers where there is room; NaN is left blank.

    order : of rows and columns alike, by table; as they come, if None.
    """
    from matplotlib.colors import LogNorm, Normalize

    side = min(4.5, 1.3 + 0.3 * max(len(rows), len(columns)))
    figure.set_size_inches(1.2 + side * len(tables), side + 0.6)
    values = np.concatenate([table[np.isfinite(table)] for table in tables.values()])
    low, high = float(values.min()), float(values.max())
    norm = LogNorm(low, max(high, low * 1.01)) if log and low > 0 else Normalize(low, high)
    panels = figure.subplots(1, len(tables), squeeze=False)[0]
    for panel, (name, table) in zip(panels, tables.items(), strict=True):
        down, across = (order[name], order[name]) if order else (rows, columns)
        shown = table[np.ix_([rows.index(one) for one in down], [columns.index(one) for one in across])]
        drawn = panel.imshow(shown, norm=norm, cmap="viridis")
        panel.set_title(name, fontsize=9, loc="left")
        panel.set_xticks(range(len(across)), across, fontsize=7, rotation=90)
        panel.set_yticks(range(len(down)), down, fontsize=7)
        if max(shown.shape) <= 8:
            for (i, j), value in np.ndenumerate(shown):
                if np.isfinite(value):
                    colour = "white" if norm(value) < 0.6 else "black"
                    panel.text(j, i, f"{value:.3g}", ha="center", va="center", fontsize=6, color=colour)
    figure.colorbar(drawn, ax=list(panels), label=label, shrink=0.8)
