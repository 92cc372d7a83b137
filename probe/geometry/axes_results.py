"""Axes at all layers of fits, kept in their folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from data_builders.errors import FactrootsError
from data_builders.folder import lock, write_atomically
from data_builders.progress import Quiet
from probe.geometry.axes import KINDS, first_axes, langs_of, part
from probe.geometry.axes_record import Axes, Kind, Part
from probe.geometry.fits import Fits
from probe.geometry.parts import by_layer, default_folder, fits_sha256, keep, signature
from probe.provenance import code, packages


def results(
    fits: Fits,
    langs: Sequence[str],
    layers: Sequence[int],
    kinds: Sequence[str] | None = None,
    bar: Quiet | None = None,
) -> tuple[Path, Axes]:
    """Find the axes of `kinds` (those that there can be, if not given), and keep them.

    Raises FactrootsError where a kind that was asked for has axes at none of the layers.
    """
    middle, bar = fits.layers[-1] // 2, bar or Quiet()
    chosen = kinds or [kind for kind in KINDS if len(langs_of(fits, kind, langs)) > (kind == "language")]
    signed = signature(fits, {"langs": ",".join(langs), "middle": middle})
    folder = default_folder(fits, "axes", signed)
    found, directions = [], {}
    with lock(folder, "choose other --langs"):
        for kind in chosen:
            names, own = fits.classes(kind, middle, langs).names, langs_of(fits, kind, langs)
            parts = _parts(fits, kind, own, layers, middle, folder, bar)
            read, told = "again" if kind == "language" else "fit", [one.told for one in parts]
            if kinds and all(one.refused for one in told):
                raise FactrootsError(f"{kind} at layer {told[0].layer}: {told[0].refused}")
            found.append(Kind(kind=kind, langs=own, names=list(names), read=read, layers=told))
            directions |= {f"{kind}.{one.told.layer}": np.array(one.directions) for one in parts if one.directions}
        record = Axes(
            signature=signed,
            model=fits.about.model.spec,
            fits=fits_sha256(fits),
            middle=middle,
            width=fits.width,
            kinds=found,
            code=code(),
            packages=packages(),
        )
        write_atomically(folder / "axes.safetensors", lambda path: save_file(directions, path))
        keep(folder, "axes", record, [*_rows(record)])
    return folder, record


def _parts(
    fits: Fits, kind: str, langs: Sequence[str], layers: Sequence[int], middle: int, folder: Path, bar: Quiet
) -> list[Part]:
    bar.start(kind, len(layers))
    compared = first_axes(fits, kind, middle, langs)

    def make(layer: int) -> Part:
        made = part(fits, kind, layer, langs, compared)
        bar.advance(1)
        return made

    return by_layer(folder, kind, layers, Part, make)


def _rows(record: Axes) -> Iterator[dict]:
    """One an axis."""
    for kind in record.kinds:
        for layer in kind.layers:
            for number, axis in enumerate(layer.axes, 1):
                yield {"kind": kind.kind, "layer": layer.layer, "axis": number, **axis.model_dump()}
