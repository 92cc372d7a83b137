"""A language's sequences beside its moments, so that what is measured later is on text that no fit has seen."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load_file

from data_builders.errors import FactrootsError
from probe.geometry.fits_record import Language
from probe.geometry.tally import write_tensors
from probe.geometry.text import PARTS, Sequences, digest


def keep(folder: Path, own: Sequences) -> None:
    """Write a language's sequences; the same ones give the same bytes."""
    write_tensors(_file(folder, own.lang), {part: getattr(own, part) for part in (*PARTS, "held")})


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
