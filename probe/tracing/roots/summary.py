"""Roots summed up: totals by language with intervals, what each threshold moves, and P@1 beside the text's size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr

from probe.estimates import Estimate, Part, ratios
from probe.tracing.precision import Threshold
from probe.tracing.roots.gathering import Gathered, known
from probe.tracing.roots.kept import How, frame
from probe.tracing.roots.labels import UNSCORED, WRONG, label

#: In which order roots are shown; cues stand between.
ORDER = ("shared", "independent", "transferred", "cue", "undecided")


class Total(NamedTuple):
    """A root's share of a language's right answers; ``lang`` is "" for all languages together, ``root`` "cue" for all
    cues together."""

    lang: str
    root: str
    n: int
    right: int
    share: Estimate


def ordered(names) -> list[str]:
    """Names of roots as they are shown."""
    return sorted(names, key=lambda name: (next(i for i, part in enumerate(ORDER) if name.startswith(part)), name))


def totals(table: pa.Table, langs) -> list[Total]:
    """Every root's share of right answers, by language and over all, with intervals over subjects."""
    rows = frame(table)
    names = ordered(rows["root"].unique())
    found = []
    for lang in (*langs, ""):
        own = rows[rows["lang"] == lang].reset_index(drop=True) if lang else rows
        if len(own):
            hits = {name: (own["root"] == name).to_numpy(float) for name in names}
            hits["cue"] = own["root"].str.startswith("cue:").to_numpy(float)
            for name, drawn in ratios(own, {name: Part(hit) for name, hit in hits.items()}).items():
                found.append(Total(lang, name, int(hits[name].sum()), len(own), drawn.estimate()))
    return found


class Absence(NamedTuple):
    """How many of a language's right answers state facts that are absent from its text; ``rate`` None without any."""

    lang: str
    right: int
    absent: int
    rate: Estimate | None


def absences(table: pa.Table, langs, threshold: Threshold) -> list[Absence]:
    """The absence rate of every language (Zhao et al. 2024), over right facts whose names can be looked for."""
    met = threshold.met(table)
    rows = table.select(["lang", "relation", "subject_uri", "root", "units"]).to_pandas()
    rows["absent"] = (~met).astype(float)
    rows = rows[~rows["root"].isin(["", "wrong", "unscored"]) & rows["units"].notna()]
    found = []
    for lang in langs:
        own = rows[rows["lang"] == lang].reset_index(drop=True)
        rate = ratios(own, {"absent": Part(own["absent"].to_numpy())})["absent"].estimate() if len(own) else None
        found.append(Absence(lang, len(own), int(own["absent"].sum()), rate))
    return found


class Sensitivity(NamedTuple):
    """The totals of all languages together with one setting changed."""

    setting: str
    value: str
    counts: dict[str, int]


def sensitivity(gathered: Gathered, how: How) -> list[Sensitivity]:
    """How the totals move with each threshold and without each cue; in the first row nothing is changed."""
    tries = [("as asked", str(how), how)]
    tries += [("alpha", f"{a:g}", how._replace(alpha=a)) for a in (0.01, 0.05, 0.1) if a != how.alpha]
    for name, values in (("units", (1, 2, 5)), ("lift", (0.0, 2.0, 10.0))):
        for value in values:
            if value != getattr(how.threshold, name):
                changed = how.threshold._replace(**{name: value})
                tries.append((f"min-{name}", f"{value:g}", how._replace(threshold=changed)))
    tries += [("without cue", name, how._replace(cues=how.cues.without(name))) for name, _ in how.cues.chosen]
    return [Sensitivity(setting, value, _counts(gathered, one)) for setting, value, one in tries]


def _counts(gathered: Gathered, how: How) -> dict[str, int]:
    made = label(known(gathered, how.threshold, how.cues), how.alpha).root
    counts = Counter(made[~np.isin(made.astype(str), ("", WRONG, UNSCORED))].tolist())
    return {name: counts[name] for name in ordered(counts)}


class Correlation(NamedTuple):
    """Of P@1 with the size of a language's text over `languages`; None where they are fewer than three or all alike."""

    languages: int
    pearson: float | None
    spearman: float | None
    pearson_without_en: float | None
    spearman_without_en: float | None


def correlation(values: Mapping[str, float], sizes: Mapping[str, float]) -> Correlation:
    """P@1 and sizes by language, over those that both have; with English and without."""
    langs = sorted(values.keys() & sizes.keys())
    both = [_both(own, values, sizes) for own in (langs, [lang for lang in langs if lang != "en"])]
    return Correlation(len(langs), *both[0], *both[1])


def _both(langs, values, sizes) -> tuple[float | None, float | None]:
    a, b = np.array([values[x] for x in langs]), np.array([sizes[x] for x in langs])
    if len(langs) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None, None
    return float(np.corrcoef(a, b)[0, 1]), float(spearmanr(a, b).statistic)
