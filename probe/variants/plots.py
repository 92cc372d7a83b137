"""Pictures of a comparison, each from its record alone."""

from __future__ import annotations

import numpy as np

from probe.pictures import Picture
from probe.variants.split import PARTS

_BEFORE, _AFTER = "#bdbdbd", "#2166ac"
_KINDS = {"kept": "#7fbf7b", "gained": "#2166ac", "lost": "#b2182b"}
_PARTS = dict(zip(PARTS, ("#2166ac", "#92c5de", "#1b7837", "#a6dba0", "#bdbdbd"), strict=True))


def _p1(record: dict, figure) -> bool:
    """P@1 before and after by language, one row of bars a variant."""
    for axes, rows, places in _by_variant(record, figure):
        for shift, side, colour in ((-0.2, "before", _BEFORE), (0.2, "after", _AFTER)):
            values, bounds = _bars(rows, side)
            axes.bar(places + shift, values, 0.4, yerr=bounds, color=colour, ecolor="black", capsize=2, label=side)
        axes.set_ylabel("P@1, %")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right", fontsize=8, frameon=False)
    return True


def _changes(record: dict, figure) -> bool:
    """What of each language's facts was kept, gained and, below the line, lost."""
    for axes, rows, places in _by_variant(record, figure):
        share = {kind: np.array([100 * row[kind] / row["n"] for row in rows]) for kind in _KINDS}
        axes.bar(places, share["kept"], color=_KINDS["kept"], label="kept")
        axes.bar(places, share["gained"], bottom=share["kept"], color=_KINDS["gained"], label="gained")
        axes.bar(places, -share["lost"], color=_KINDS["lost"], label="lost")
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_ylabel("% of facts")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right", fontsize=8, frameon=False)
    return True


def _taught(record: dict, figure) -> bool:
    """The difference on taught and on held-out facts."""
    rows = {(row["variant"], row["facts"]): row for row in record["rows"] if not row["lang"] and row["facts"] != "all"}
    names = list(dict.fromkeys(name for name, _ in rows))
    parts = [part for part in PARTS if any(own == part for _, own in rows)]
    if not rows:
        return False
    figure.set_size_inches(max(5, 2.5 + 1.3 * len(names)), 3.5)
    axes, width = figure.subplots(), 0.8 / len(parts)
    for i, part in enumerate(parts):
        own = [(place, rows[name, part]) for place, name in enumerate(names) if (name, part) in rows]
        places = np.array([place for place, _ in own]) - 0.4 + width * (i + 0.5)
        values, bounds = _bars([row for _, row in own], "difference")
        axes.bar(places, values, width, yerr=bounds, color=_PARTS[part], ecolor="black", capsize=2, label=part)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_ylabel("P@1 after − before, points")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False)
    return True


def _costs(record: dict, figure) -> bool:
    """The difference over all against what a variant takes: disk, and time and memory where they are known."""
    gain = {row["variant"]: row for row in record["rows"] if row["facts"] == "all" and not row["lang"]}
    wanted = {"bytes": ("disk, MB", 1e6), "seconds": ("training, s", 1), "peak_mb": ("peak memory, MB", 1)}
    panels = {}
    for name, (label, unit) in wanted.items():
        known = [(one["name"], one["cost"][name] / unit) for one in record["variants"] if one["cost"][name]]
        if known:
            panels[label] = known
    if not panels:
        return False
    figure.set_size_inches(1 + 4 * len(panels), 3.5)
    for axes, (label, known) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        values, bounds = _bars([gain[name] for name, _ in known], "difference")
        axes.errorbar([x for _, x in known], values, yerr=bounds, fmt="o", color=_AFTER, ecolor="black", capsize=2)
        for (name, x), y in zip(known, values, strict=True):
            axes.annotate(name, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=7)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.margins(x=0.25)
        wide = max(x for _, x in known) > 20 * min(x for _, x in known)
        axes.set(xscale="log" if wide else "linear", xlabel=label, ylabel="P@1 after − before, points")
    return True


def _by_variant(record: dict, figure):
    """A panel for each variant, as many beside each other as fit, its rows of the table by language, their places."""
    names = [one["name"] for one in record["variants"]]
    width = 1.5 + 0.5 * len(record["langs"])
    columns = max(1, min(len(names), int(11 // width)))
    lines = -(-len(names) // columns)
    figure.set_size_inches(max(5, 1.5 + width * columns), 0.6 + 2.2 * lines)
    panels = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flat)
    for axes in panels[len(names) :]:
        axes.remove()
    for axes, name in zip(panels, names, strict=False):
        rows = [row for row in record["rows"] if row["variant"] == name and row["facts"] == "all"]
        rows = [row for row in rows if row["lang"] and not row["relation"]]
        axes.set_xticks(range(len(rows)), [row["lang"] for row in rows])
        axes.set_title(name, fontsize=9, loc="left")
        yield axes, rows, np.arange(len(rows))


def _bars(rows: list[dict], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values [n] and how far their intervals reach below and above [2, n], in per cent."""
    values = np.array([[100 * row[name][key] for key in ("value", "low", "high")] for row in rows])
    return values[:, 0], np.abs(values[:, 1:] - values[:, :1]).T


#: Every picture by its file's name.
PICTURES: dict[str, Picture] = {"p1": _p1, "changes": _changes, "taught": _taught, "costs": _costs}
#: What stands over each on the page.
CAPTIONS = {
    "p1": "P@1 before and after",
    "changes": "Facts kept, gained and lost",
    "taught": "Taught and held-out facts",
    "costs": "What it took, and what it gave",
}
