"""A run against the table of Zhao, Yoshinaga and Oba (EACL 2024), and its correlation with the size of Wikipedias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from probe.published import published
from probe.results import Result

PROTOCOLS = ("zhao2024-full", "zhao2024-partial")
#: Models that the table has columns for, by the last part of their names.
MODELS = {"bert-base-multilingual-cased": "mbert", "xlm-roberta-large": "xlmr-large"}


class Row(NamedTuple):
    """P@1 in percent of a language, or of all facts (``lang`` is None); ours is None where nothing was scored."""

    lang: str | None
    published: float
    ours: float | None
    n_published: int
    n: int

    @property
    def difference(self) -> float | None:
        """Ours minus the published one, in points."""
        return None if self.ours is None else self.ours - self.published


class Correlation(NamedTuple):
    """Pearson's r of P@1 with sizes over `languages` languages; None over fewer than three, or without variance."""

    published: float | None
    ours: float | None
    languages: int


def column(run: dict) -> str:
    """The table's name for the run's model; refuses other models, and facts other than all of mLAMA's."""
    name, spec = Path(run["model"]["name"]).name, run["model"]["spec"]
    if name not in MODELS or "+" in spec:
        known = ", ".join(f"{name} ({short})" for name, short in MODELS.items())
        raise FactrootsError(f"published for {known} only; this run is of {spec}")
    facts = replace(FactSet.parse(run["facts"]), path=None, langs=(), gold="one")
    if facts != FactSet("mlama"):
        raise FactrootsError(f"published over all facts of mLAMA; this run is of {facts.portable}; run it unfiltered")
    return MODELS[name]


def rows(result: Result, model: str) -> list[Row]:
    """The languages that both have, and over all of these. Raises FactrootsError when there is none."""
    table = published("zhao2024")
    named = f"{model}-{result.protocol.removeprefix('zhao2024-')}"
    found = []
    for language in result.languages:
        if language.lang in table:
            theirs, score = table[language.lang], language.all
            ours, n = (100 * score.micro, score.n) if score else (None, 0)
            found.append(Row(language.lang, theirs[named], ours, int(theirs["n"]), n))
    if not found:
        raise FactrootsError(f"published for {' '.join(table)}; this run has none of these languages")
    return [*found, _over_all(found)]


def _over_all(found: list[Row]) -> Row:
    """Over facts, as the published overall number is; what is published is rounded, and so is its mean."""
    wanted, n = sum(row.n_published for row in found), sum(row.n for row in found)
    ours = sum(row.ours * row.n for row in found if row.ours is not None) / n if n else None
    return Row(None, sum(row.published * row.n_published for row in found) / wanted, ours, wanted, n)


def exceeding(found: list[Row], tolerance: float) -> list[str]:
    """The languages ("all" for the last row) whose difference exceeds `tolerance` points, or that have no number."""
    return [row.lang or "all" for row in found if row.ours is None or abs(row.difference) > tolerance + 1e-9]


def correlation(found: list[Row], sizes: Mapping[str, float]) -> Correlation:
    """Of published and of our P@1 with `sizes`, over the languages that have both."""
    used = [row for row in found if row.lang in sizes and row.ours is not None]
    values = [[getattr(row, name) for row in used] for name in ("published", "ours")]
    return Correlation(*(_pearson(own, [sizes[row.lang] for row in used]) for own in values), len(used))


def _pearson(a: list[float], b: list[float]) -> float | None:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def read_sizes(path: Path | None) -> dict[str, float]:
    """Sizes by language from lines of ``lang<TAB>bytes``; the published ones (in KiB) without a path."""
    if path is None:
        return {lang: row["kib"] for lang, row in published("abstracts").items()}
    sizes = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        lang, _, size = line.partition("\t")
        if not (lang.strip() and size.strip().isdecimal() and int(size)):
            raise FactrootsError(
                f"{path}:{number}: {line!r} is not a language, a tab and a number of bytes, as it\\t144"
            )
        sizes[lang.strip()] = float(size)
    return sizes
