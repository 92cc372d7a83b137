"""Distances at all layers of fits, kept in their folder."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from pathlib import Path

from data_builders.errors import FactrootsError
from data_builders.folder import lock
from data_builders.progress import Quiet
from probe.geometry.distance_record import Distances, Layer
from probe.geometry.distances import measure_layer, need_equal
from probe.geometry.fits import Fits
from probe.geometry.parts import by_layer, default_folder, fits_sha256, keep, signature
from probe.geometry.subspace import check_variance
from probe.provenance import code, packages


def results(
    fits: Fits,
    langs: Sequence[str],
    layers: Sequence[int],
    measures: Sequence[str],
    variance: float,
    seed: int,
    bar: Quiet | None = None,
) -> tuple[Path, Distances]:
    """Measure, and keep; the folder is named by all that decides a layer's numbers.

    Raises FactrootsError for one language, languages of unequal numbers of tokens, and layers at none of which two
    languages have a distance.
    """
    if len(langs) < 2:
        raise FactrootsError(f"only {langs[0]}: a distance takes two languages; --langs takes {', '.join(fits.langs)}")
    check_variance(variance)
    tokens = {lang: fits.moments(lang, fits.layers[0]).n for lang in langs}
    need_equal(tokens)
    parts = {"langs": ",".join(langs), "measures": ",".join(measures), "variance": f"{variance:g}", "seed": seed}
    signed, bar = signature(fits, parts), bar or Quiet()
    folder = default_folder(fits, "distance", signed)

    def make(layer: int) -> Layer:
        bar.start(f"layer {layer}", comb(len(langs), 2))
        return measure_layer(fits, layer, langs, measures, variance, seed, bar)

    with lock(folder, "choose other --langs"):
        made = by_layer(folder, "distance", layers, Layer, make)
        if not any(layer.pairs for layer in made):
            raise FactrootsError(
                f"no two languages have a distance at layer {', '.join(map(str, layers))}: too few tokens, or too few "
                "different ones, for directions to vary in; fit more text, or choose other --layers"
            )
        record = Distances(
            signature=signed,
            model=fits.about.model.spec,
            fits=fits_sha256(fits),
            langs=list(langs),
            measures=list(measures),
            variance=variance,
            seed=seed,
            width=fits.width,
            tokens=tokens,
            layers=made,
            code=code(),
            packages=packages(),
        )
        keep(
            folder,
            "distance",
            record,
            [{"layer": layer.layer, **pair.model_dump()} for layer in made for pair in layer.pairs],
        )
    return folder, record
