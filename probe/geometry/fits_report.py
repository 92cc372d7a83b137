"""What fits come to, as a record and as a table: dimensions by layer, outliers, and what to beware of."""

from __future__ import annotations

from collections import Counter
from statistics import median

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.geometry.fits import Fits
from probe.geometry.fits_record import About
from probe.geometry.outliers import outliers

#: Below so many tokens a dimension k is noticeably too low.
ENOUGH = 10
#: By how much: for a spectrum of 768 of which 328 hold 90 % (tests/parity/test_geometry_pca.py).
BIAS = "in simulation by 32 % at 1.3, 10 % at 5.3 and 6 % at 10.7 tokens a dimension"
#: A first axis with more of the variance than this hides the others.
MOST = 0.5
_NAMED = 3  # outlier dimensions of a layer that the table names


def record(fits: Fits, variance: float) -> dict:
    """What the fits are, and for each language and layer: the axes that hold this share of the variance (``k``), the
    share of the first axis (``top``), and the dimensions that stand apart with the share of each."""
    rows = []
    for layer in fits.layers:
        for lang in fits.langs:
            own = fits.subspace(lang, layer)
            apart = outliers(own.mean, np.einsum("ij,j,ij->i", own.vectors, own.values, own.vectors))
            rows.append(
                {
                    "lang": lang,
                    "layer": layer,
                    "n": own.n,
                    "k": own.k(variance),
                    "top": float(own.shares[0]),
                    "outliers": [{"dimension": one.dimension, "share": one.share} for one in apart],
                }
            )
    return {"folder": str(fits.folder), "variance": variance, "fits": fits.about.model_dump(), "rows": rows}


def show(made: dict, console: Console, asked: int) -> None:
    """Print k by layer and language, and below it what was left out; `asked` sequences were asked for."""
    about = About.model_validate(made["fits"])
    rows, langs = made["rows"], [*about.languages]
    n = "–".join(f"{n:,}" for n in sorted({min(row["n"] for row in rows), max(row["n"] for row in rows)}))
    title = f"Axes that hold {made['variance']:.0%} of the variance, of {about.width}; {n} tokens a language"
    console.print(escape(title), style="italic", highlight=False)
    table = Table(box=SIMPLE_HEAD, padding=0)
    for name in ("layer", *map(escape, langs), "first axis"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("outlier dimensions", overflow="fold")
    for layer in range(about.layers + 1):
        own = [row for row in rows if row["layer"] == layer]
        first = f"{median(row['top'] for row in own):.1%}"
        table.add_row(str(layer), *(str(row["k"]) for row in own), first, _outliers(own))
    console.print(table)
    console.print("first axis, outlier dimensions: their share of the variance, the languages' median", highlight=False)
    for line in notes(about, rows, asked):
        console.print(escape(line), highlight=False, soft_wrap=True)


def _outliers(rows: list[dict]) -> str:
    """Those of most languages, by the number of languages and then their share."""
    held = Counter(one["dimension"] for row in rows for one in row["outliers"])
    shares = {
        dimension: median(one["share"] for row in rows for one in row["outliers"] if one["dimension"] == dimension)
        for dimension, count in held.items()
        if 2 * count >= len(rows)
    }
    ranked = sorted(shares, key=lambda dimension: (-shares[dimension], dimension))
    more = f" +{len(ranked) - _NAMED}" if len(ranked) > _NAMED else ""
    return ", ".join(f"{dimension} ({shares[dimension]:.1%})" for dimension in ranked[:_NAMED]) + more


def notes(about: About, rows: list[dict], asked: int) -> list[str]:
    """What a reader has to know: who had least text, what came again, too few tokens, an axis that hides all others,
    who was tagged."""
    said, languages = [], about.languages
    n, most = min(row["n"] for row in rows), max(rows, key=lambda row: row["top"])
    if about.number < asked:
        poorest = min(languages, key=lambda lang: languages[lang].whole)
        said.append(
            f"{poorest} has text for {languages[poorest].whole:,} sequences of {about.length} tokens, which decides "
            f"for all: {about.number:,} to fit, as many again for the noise, {about.test:,} to test"
        )
    if n < ENOUGH * about.width:
        said.append(f"{n / about.width:.1f} tokens a dimension are few: k comes out too low ({BIAS}); give more text")
    if most["top"] > MOST:
        said.append(
            f"one axis holds up to {most['top']:.0%} of the variance (layer {most['layer']}), where k says little; "
            + (
                "the states of special tokens may be why: compare with --no-specials"
                if about.specials
                else "special tokens are not why, whose states are left out"
            )
        )
    if again := {lang: own.repeated for lang, own in languages.items() if own.repeated}:
        said.append("lines that came again and were left out: " + ", ".join(f"{k} {v:,}" for k, v in again.items()))
    tagged = {lang: own.tagger for lang, own in languages.items() if own.tagger}
    if tagged:
        said.append("parts of speech: " + ", ".join(f"{lang} by {name}" for lang, name in tagged.items()))
    if lacking := [lang for lang in languages if lang not in tagged]:
        said.append(f"no parts of speech, for want of a spaCy pipeline with a tagger: {', '.join(lacking)}")
    return said
