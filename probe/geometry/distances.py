"""All distances between the languages of fits at a layer, each beside what it is where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import sqrt

import numpy as np

from data_builders.errors import FactrootsError
from data_builders.progress import Quiet
from probe.geometry import maps
from probe.geometry.distance import MEASURES, Cloud, Measure
from probe.geometry.distance_record import Floor, Layer, Map, Pair
from probe.geometry.fits import Fits
from probe.geometry.floors import drawn
from probe.geometry.subspace import VARIANCE
from probe.geometry.tally import FITTED
from probe.geometry.whitening import whitening

SEED = 0
#: Languages may have so many times each other's tokens (special ones are not equally many).
UNEQUAL = 1.05


def need_equal(tokens: dict[str, int]) -> None:
    """Raises FactrootsError where languages' numbers of tokens differ: distances fall with them."""
    few, many = min(tokens, key=tokens.get), max(tokens, key=tokens.get)
    if tokens[many] > UNEQUAL * tokens[few]:
        raise FactrootsError(
            f"{few} has {tokens[few]:,} tokens and {many} {tokens[many]:,}; distances are compared at equal numbers: "
            "fit the languages together, or choose among them with --langs"
        )


def measure_layer(
    fits: Fits,
    layer: int,
    langs: Sequence[str],
    measures: Sequence[str],
    variance: float = VARIANCE,
    seed: int = SEED,
    bar: Quiet | None = None,
) -> Layer:
    """The languages' distances at a layer by `measures` (names of :data:`probe.geometry.distance.MEASURES`).

    A language in which directions do not vary that do in others, as of too few tokens or too few different ones, has no
    distance from any; it is left out and told of.
    """
    spaces = {(lang, part): fits.subspace(lang, layer, part) for lang, part in product(langs, FITTED)}
    shared = whitening([space.mean for space in spaces.values()], [space.covariance for space in spaces.values()])
    clouds = {key: Cloud.of(space, shared, variance) for key, space in spaces.items()}
    missing = {lang: max(shared.lacking(clouds[lang, part].white) for part in FITTED) for lang in langs}
    kept = [lang for lang in langs if not missing[lang]]
    floors = {}
    for lang in kept:
        generator = np.random.default_rng([seed, layer, fits.langs.index(lang)])
        samples = [Cloud.of(drawn(spaces[lang, "fit"], generator), shared, variance) for _ in range(2)]
        for name in measures:
            floors[lang, name] = _floor(lang, name, [clouds[lang, part] for part in FITTED], samples)
    pairs, d = [], len(spaces[langs[0], "fit"].mean)
    for lang, other in combinations(kept, 2):
        for name in measures:
            pairs.append(_pair(d, floors[lang, name], floors[other, name], clouds))
        (bar or Quiet()).advance(1)
    return Layer(
        layer=layer,
        dims=shared.axes.shape[1],
        k={lang: clouds[lang, "fit"].basis.shape[1] for lang in langs},
        lacking={lang: n for lang, n in missing.items() if n},
        pairs=pairs,
        floors=list(floors.values()),
        maps=[_map(name, kept, pairs) for name in measures if len(kept) > 1],
    )


def _floor(lang: str, name: str, halves: Sequence[Cloud], samples: Sequence[Cloud]) -> Floor:
    measure, (n, d) = MEASURES[name], (halves[0].n, len(halves[0].white))
    return Floor(
        lang=lang,
        measure=name,
        value=measure.of(*halves),
        independent=measure.of(*samples),
        closed=measure.closed and measure.closed(d, n),
    )


def _pair(d: int, own: Floor, others: Floor, clouds: dict[tuple[str, str], Cloud]) -> Pair:
    """`d` is the layer's width: that of the space in which bases lie."""
    measure: Measure = MEASURES[own.measure]
    lang, other = own.lang, others.lang
    all_ = [measure.of(clouds[lang, a], clouds[other, b]) for a, b in product(FITTED, FITTED)]
    value, floor = all_[0], sqrt((own.value**2 + others.value**2) / 2)
    return Pair(
        lang=lang,
        other=other,
        measure=own.measure,
        value=value,
        low=min(all_),
        high=max(all_),
        floor=floor,
        above=sqrt(max(value**2 - floor**2, 0)) if measure.adds else None,
        chance=measure.chance and measure.chance(d, clouds[lang, "fit"], clouds[other, "fit"]),
    )


def _map(name: str, langs: Sequence[str], pairs: Sequence[Pair]) -> Map:
    table = matrix([pair for pair in pairs if pair.measure == name], langs)
    placed, tree = maps.place(table), maps.tree(table)
    return Map(
        measure=name,
        langs=list(langs),
        points=placed.points.tolist(),
        share=placed.share,
        stress=placed.stress,
        merges=tree.merges.tolist(),
        order=[langs[i] for i in tree.order],
    )


def matrix(pairs: Sequence[Pair], langs: Sequence[str]) -> np.ndarray:
    """The pairs' distances [n, n], with zeros on the diagonal; NaN where there is none."""
    place = {lang: i for i, lang in enumerate(langs)}
    table = np.full((len(langs), len(langs)), np.nan)
    np.fill_diagonal(table, 0)
    for pair in pairs:
        i, j = place[pair.lang], place[pair.other]
        table[i, j] = table[j, i] = pair.value
    return table
