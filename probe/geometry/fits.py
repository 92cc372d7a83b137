"""Fits: means and scatters of a model's states at every layer on each language's text, in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from pathlib import Path

import numpy as np

from data_builders.errors import FactrootsError, unknown
from fine_tuning.models import Loaded
from probe.geometry.classes import Classes
from probe.geometry.fits_record import About
from probe.geometry.moments import Moments
from probe.geometry.sequences_file import read_kept
from probe.geometry.subspace import Subspace
from probe.geometry.tally import FITTED, KINDS, UPOS, TallyFile
from probe.geometry.text import Sequences

#: What subspaces may take that are held in case they are asked for again.
_BYTES = 1 << 28


class Fits:
    """A finished folder: ``fits.json``, and for each language ``moments-`` and ``sequences-<lang>.safetensors``."""

    def __init__(self, folder: Path, about: About):
        self.folder, self.about = folder, about
        self._file = lru_cache(None)(lambda lang: TallyFile(moments_file(folder, lang), class_names(about)))
        self._subspace = lru_cache(max(2, _BYTES // (8 * about.width**2)))(
            lambda lang, layer, part: Subspace.of(self.moments(lang, layer, part), f"{lang} at layer {layer}")
        )

    @classmethod
    def open(cls, folder: Path | str) -> Fits:
        """Raises FactrootsError where there are none, or they are not finished."""
        folder = Path(folder)
        about = About.read(folder)
        missing = [lang for lang in about.languages if not moments_file(folder, lang).exists()]
        if missing:
            raise FactrootsError(
                f"{folder} is not finished ({', '.join(missing)} missing); the same `probe geometry fit` goes on"
            )
        return cls(folder, about)

    @property
    def langs(self) -> tuple[str, ...]:
        return tuple(self.about.languages)

    @property
    def layers(self) -> range:
        """0..L."""
        return range(self.about.layers + 1)

    @property
    def width(self) -> int:
        return self.about.width

    def need(self, loaded: Loaded) -> None:
        """Raises FactrootsError, with both hashes, for another model than that of the fits."""
        self.about.need(loaded, self.folder)

    def moments(self, lang: str, layer: int, part: str = "fit") -> Moments:
        """Of a language's states at a layer; `part` is one of :data:`probe.geometry.tally.FITTED`."""
        return self._checked(lang, layer, part).moments(part, layer)

    def mean(self, lang: str, layer: int, part: str = "fit") -> np.ndarray:
        """Their mean [d]."""
        return self._checked(lang, layer, part).mean(part, layer)

    def subspace(self, lang: str, layer: int, part: str = "fit") -> Subspace:
        """Their subspace; the last ones asked for are held."""
        return self._subspace(lang, layer, part)

    def sequences(self, lang: str) -> Sequences:
        """The text in tokens, in its parts; the lines themselves are not kept."""
        self._checked(lang, 0, "fit")
        return read_kept(self.folder, lang, self.about.languages[lang])

    def languages(self, layer: int, langs: Sequence[str], part: str = "fit") -> Classes:
        """Each language's states of a part of the text at a layer as a class."""
        each = [self.moments(lang, layer, part) for lang in langs]
        counts, sums = np.array([one.n for one in each]), np.stack([one.n * one.mean for one in each])
        return Classes(tuple(langs), counts, sums, reduce(Moments.merged, each))

    def classes(self, kind: str, layer: int, langs: Sequence[str] | None = None) -> Classes:
        """States of ``fit`` at a layer by ``language``, ``position`` or ``pos``, those of `langs` (all) together.

        Raises FactrootsError for parts of speech where none of the languages was tagged; others are passed over.
        """
        langs = self.langs if langs is None else tuple(langs)
        if kind == "language":
            return self.languages(layer, langs)
        if kind not in KINDS:
            raise unknown("kind of classes", kind, ("language", *KINDS))
        files = [self._checked(lang, layer, "fit") for lang in langs]
        found = [file.classes(kind, layer) for file in files if kind in file.names]
        if not found:
            raise FactrootsError(
                f"{self.folder} has no parts of speech: no spaCy pipeline with a tagger was installed for "
                f"{', '.join(langs)}; install one and fit again, or leave out --classes pos"
            )
        return reduce(Classes.merged, found)

    def _checked(self, lang: str, layer: int, part: str) -> TallyFile:
        if lang not in self.about.languages:
            raise unknown("language", lang, self.langs)
        if layer not in self.layers:
            raise FactrootsError(
                f"{self.folder} has no layer {layer}; --layers takes 0 (the embeddings) to {self.layers[-1]}"
            )
        if part not in FITTED:
            raise unknown("part", part, FITTED)
        return self._file(lang)


def moments_file(folder: Path, lang: str) -> Path:
    """Where a language's moments are, once they are finished."""
    return folder / f"moments-{lang}.safetensors"


def class_names(about: About) -> dict[str, tuple[str, ...]]:
    """The names of each kind's classes."""
    return {"position": tuple(map(str, about.positions)), "pos": UPOS}
