"""A language's sequences beside its moments, so that what is measured later is on text that no fit has seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically
from probe.geometry.fits_record import Language
from probe.geometry.text import PARTS, Sequences, digest


def keep(folder: Path, own: Sequences) -> None:
    """Write a language's sequences; the same ones give the same bytes."""
    tensors = {part: np.ascontiguousarray(getattr(own, part)) for part in (*PARTS, "held")}
    write_atomically(_file(folder, own.lang), lambda part: save_file(tensors, part))


def read_kept(folder: Path, lang: str, about: Language) -> Sequences:
    """The sequences without their lines. Raises FactrootsError where they are not those that ``fits.json`` names."""
    path = _file(folder, lang)
    try:
        tensors = load_file(path)
        parts = [tensors[part] for part in PARTS]
    except (SafetensorError, OSError, KeyError) as error:
        raise FactrootsError(f"{path} cannot be read ({error}); make the fits anew in another --output") from error
    if digest(*parts) != about.sha256:
        raise FactrootsError(
            f"{path} holds other sequences than fits.json says; make the fits anew in another --output"
        )
    return Sequences(
        lang, *parts, about.sha256, about.origin, about.lines, about.repeated, about.whole, tensors["held"]
    )


def _file(folder: Path, lang: str) -> Path:
    return folder / f"sequences-{lang}.safetensors"
