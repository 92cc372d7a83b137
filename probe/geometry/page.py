"""A geometry on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import mean

from probe import page
from probe.geometry.conditions import CONDITIONS
from probe.geometry.plots import CAPTIONS
from probe.variants.wording import p_value, percent, signed


def write_page(made: dict, pictures: Iterable[Path], path: Path) -> None:
    """Write the page of what was gathered (:func:`probe.geometry.gathered.gather`); everything on it is escaped."""
    name = made["fits"]["fits"]["model"]["spec"]
    shown = [page.picture(picture, CAPTIONS[picture.stem]) for picture in pictures]
    tables = [_fits(made["fits"])]
    tables += [
        table for part, tables_of in _TABLES.items() if made[part] is not None for table in tables_of(made[part])
    ]
    signed_by = [made[part]["signature"] for part in _TABLES if made[part] is not None]
    signature = "\n".join(signed_by) or f"fits of {name}"
    page.write_page(path, f"Geometry of {name}", f"How {name} places its languages", [*shown, *tables], signature)


def _fits(fits: dict) -> str:
    about, layers = fits["fits"], range(fits["fits"]["layers"] + 1)
    held = {(row["lang"], row["layer"]): row for row in fits["rows"]}
    rows = [
        [lang, f"{held[lang, 0]['n']:,}", *(str(held[lang, layer]["k"]) for layer in layers)]
        for lang in about["languages"]
    ]
    caption = f"Axes that hold {fits['variance']:.0%} of the variance, of {about['width']}, by layer"
    return page.table(caption, ["language", "tokens", *map(str, layers)], rows)


def _ratio(record: dict) -> list[str]:
    layers = record["layers"]
    plain = [
        [
            one["lang"],
            _interval(one["perplexity"]),
            percent(one["accuracy"]),
            f"{one['count']:,}",
            str(one["sequences"]),
        ]
        for one in record["plain"]
    ]
    names = list(dict.fromkeys(one["condition"] for one in record["means"]))
    tables = [
        page.table(
            f"{record['measure']} perplexity as it is (95 % interval)",
            ["language", "perplexity", "accuracy, %", "tokens", "sequences"],
            plain,
        )
    ]
    for key, what in (("geometric", "geometric"), ("arithmetic", "arithmetic")):
        held = {(one["condition"], one["layer"]): one[key] for one in record["means"]}
        rows = [
            [name, CONDITIONS[name].summary, *(_cell(held.get((name, layer))) for layer in layers)] for name in names
        ]
        caption = f"Perplexity ratio by layer, {what} mean over pairs (95 % interval)"
        tables.append(page.table(caption, ["condition", "what it does", *map(str, layers)], rows))
    contrasts = [
        [
            f"{one['condition']} / {one['against']}",
            str(one["layer"]),
            _interval(one["quotient"]),
            p_value(one["p_holm"]),
        ]
        for one in record["contrasts"]
    ]
    tables.append(
        page.table("One ratio over another, paired by sequence", ["", "layer", "quotient", "p (Holm)"], contrasts)
    )
    return [*tables, *_facts(record["facts"])]


def _facts(facts: dict | None) -> list[str]:
    if facts is None:
        return []
    rows = [
        [one["lang"], one["condition"] if one["other"] is None else f"{one['condition']}({one['other']})",
         str(one["layer"]), f"{one['n']:,}", percent(one["plain"]), percent(one["under"]), signed(one["difference"]),
         p_value(one["p_holm"])]
        for one in facts["rows"]
    ]  # fmt: skip
    head = ["language", "condition", "layer", "n", "P@1", "under it", "difference", "p (Holm)"]
    return [page.table(f"P@1 of {facts['facts']}, {facts['protocol']}", head, rows)]


def _distance(record: dict) -> list[str]:
    rows = []
    for name in record["measures"]:
        for layer in record["layers"]:
            pairs = [one for one in layer["pairs"] if one["measure"] == name]
            if pairs:
                value, floor = (mean(one[key] for one in pairs) for key in ("value", "floor"))
                rows.append([name, str(layer["layer"]), f"{value:.3g}", f"{floor:.3g}", f"{value / floor:.3g}"])
    pairs = [
        [one["measure"], str(layer["layer"]), one["lang"], one["other"],
         *(f"{one[key]:.3g}" for key in ("value", "low", "high", "floor"))]
        for layer in record["layers"] for one in layer["pairs"]
    ]  # fmt: skip
    head = ["measure", "layer", "language", "other", "distance", "least", "greatest", "floor"]
    return [
        page.table("Distances: mean over pairs", ["measure", "layer", "distance", "floor", "times the floor"], rows),
        page.table("Distances by pair; least and greatest of two halves of the text each", head, pairs),
    ]


def _axes(record: dict) -> list[str]:
    rows = [
        [kind["kind"], str(layer["layer"]), str(number),
         *(_percent(axis[key]) for key in ("of_total", "of_between", "explained", "language_explained"))]
        for kind in record["kinds"] for layer in kind["layers"] for number, axis in enumerate(layer["axes"][:3], 1)
    ]  # fmt: skip
    head = [
        "axes of",
        "layer",
        "axis",
        "of all variance",
        "of that between",
        "between, of its own",
        "languages, of its own",
    ]
    return [page.table("What the first axes hold, %", head, rows)]


def _interval(one: dict) -> str:
    return f"{one['value']:.3g} [{one['low']:.3g}, {one['high']:.3g}]"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _cell(one: dict | None) -> str:
    return "–" if one is None else _interval(one)


#: The tables of each part that may have been made.
_TABLES = {"ratio": _ratio, "distance": _distance, "axes": _axes}
