"""Pictures of a tracing, each from its record alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from probe import pictures
from probe.pictures import Picture
from probe.tracing.roots.summary import ordered

_COLOURS = {"shared": "#1b7837", "independent": "#7fbf7b", "transferred": "#2166ac", "undecided": "#bdbdbd"}
_CUES = ("#b35806", "#e08214", "#fdb863", "#fee0b6")


def draw(record: dict, folder: Path) -> list[Path]:
    """Write every picture that the record has something for, and return their paths."""
    return pictures.draw(PICTURES, record, folder)


def _roots(record: dict, figure) -> bool:
    """Stacked bars of roots by language."""
    langs = [lang for lang in dict.fromkeys(row["lang"] for row in record["totals"]) if lang]
    share = {(row["lang"], row["root"]): row["share"]["value"] for row in record["totals"]}
    number = {row["lang"]: row["right"] for row in record["totals"]}
    names = ordered({row["root"] for row in record["totals"]} - {"cue"})
    if not langs:
        return False
    figure.set_size_inches(max(5, 1.5 + 0.55 * len(langs)), 4)
    axes, below = figure.subplots(), np.zeros(len(langs))
    cues = iter(_CUES)
    for name in names:
        values = 100 * np.array([share.get((lang, name), 0.0) for lang in langs])
        axes.bar(range(len(langs)), values, bottom=below, label=name, color=_COLOURS.get(name) or next(cues, "#542788"))
        below += values
    axes.set_xticks(range(len(langs)), [f"{lang}\n{number[lang]:,}" for lang in langs])
    axes.set(ylabel="% of right answers", ylim=(0, 100), title="Roots of right answers, and how many there are")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False)
    return True


def _sizes(record: dict, figure) -> bool:
    """P@1 against the size of the abstracts."""
    langs = sorted(record["p1"].keys() & record["abstract_bytes"].keys())
    if len(langs) < 3:
        return False
    figure.set_size_inches(5.5, 4)
    axes = figure.subplots()
    x = [record["abstract_bytes"][lang] / 1e6 for lang in langs]
    y = [100 * record["p1"][lang] for lang in langs]
    axes.scatter(x, y, s=14)
    for lang, a, b in zip(langs, x, y, strict=True):
        axes.annotate(lang, (a, b), xytext=(3, 3), textcoords="offset points", fontsize=8)
    c = record["correlation"]
    axes.set_title(f"r = {_two(c['pearson'])}, Spearman {_two(c['spearman'])}; without en "
                   f"{_two(c['pearson_without_en'])}, {_two(c['spearman_without_en'])}", fontsize=10)  # fmt: skip
    axes.set(xlabel="abstracts, MB", ylabel="P@1, %")
    return True


def _absence(record: dict, figure) -> bool:
    """Of right answers, how many are absent from the text."""
    rows = [row for row in record["absence"] if row["rate"]]
    if not rows:
        return False
    figure.set_size_inches(max(4, 1.2 + 0.45 * len(rows)), 3.5)
    axes = figure.subplots()
    values = np.array([[100 * row["rate"][k] for k in ("value", "low", "high")] for row in rows])
    bounds = np.abs(values[:, 1:] - values[:, :1]).T
    axes.bar(range(len(rows)), values[:, 0], yerr=bounds, color="#2166ac", ecolor="black", capsize=2)
    axes.set_xticks(range(len(rows)), [row["lang"] for row in rows])
    axes.set(ylabel="% of right answers", ylim=(0, 100), title="Right, and absent from the text")
    return True


def _overlap(record: dict, figure) -> bool:
    """Neurons in common by two languages, beside what other facts of the relation have in common."""
    pairs = [row for row in record["neurons"] if row["lang"]]
    if not pairs:
        return False
    langs = list(dict.fromkeys(name for row in pairs for name in (row["lang"], row["other"])))
    at = {lang: i for i, lang in enumerate(langs)}
    tables = np.full((2, len(langs), len(langs)), np.nan)  # the diagonal stays empty: it says nothing
    for row in pairs:
        a, b = at[row["lang"]], at[row["other"]]
        for table, name in zip(tables, ("overlap", "null"), strict=True):
            table[a, b] = table[b, a] = row[name]["value"]
    figure.set_size_inches(max(7, 0.9 * len(langs) + 2), max(3.2, 0.45 * len(langs) + 1))
    top = float(np.nanmax(tables))
    for axes, table, title in zip(figure.subplots(1, 2), tables, ("the same fact", "other facts"), strict=True):
        image = axes.imshow(table, vmin=0, vmax=top, cmap="viridis")
        axes.set_xticks(range(len(langs)), langs)
        axes.set_yticks(range(len(langs)), langs)
        for (i, j), value in np.ndenumerate(table):
            if len(langs) <= 12 and np.isfinite(value):
                axes.text(j, i, f"{value:.2f}".removeprefix("0"), ha="center", va="center", fontsize=7,
                          color="white" if value < 0.6 * top else "black")  # fmt: skip
        axes.set_title(f"first neurons of {title}: Jaccard", fontsize=9)
    figure.colorbar(image, ax=figure.axes, shrink=0.8)
    return True


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


#: Every picture by its file's name. Each draws on a figure, and says whether there was anything to draw.
PICTURES: dict[str, Picture] = {"roots": _roots, "sizes": _sizes, "absence": _absence, "overlap": _overlap}
