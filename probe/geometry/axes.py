"""Axes at a layer of which some tell languages, and others positions or parts of speech in whatever language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_builders.errors import unknown
from probe.geometry import angles
from probe.geometry.axes_record import Axis, Layer, Part, Point, Stable, Transfer
from probe.geometry.classes import Classes
from probe.geometry.discriminants import NoAxes, discriminants, held, share_between
from probe.geometry.fits import Fits

#: What axes can be of.
KINDS = ("language", "position", "pos")
#: As many axes are drawn, kept and compared.
FIRST = 3


def langs_of(fits: Fits, kind: str, langs: Sequence[str]) -> list[str]:
    """Those of `langs` that have classes of this kind: parts of speech only where words were tagged."""
    if kind not in KINDS:
        raise unknown("kind of classes", kind, KINDS)
    return [lang for lang in langs if kind != "pos" or fits.about.languages[lang].tagger]


class Found:
    """The axes of a kind of classes at a layer, found on ``fit``.

    ``read`` are the classes that their shares are told on: for languages those of ``again``.
    """

    def __init__(self, fits: Fits, kind: str, layer: int, langs: Sequence[str]):
        self.fits, self.kind, self.layer, self.langs = fits, kind, layer, langs
        self.classes = self.fits.classes(self.kind, self.layer, langs)
        self.axes = discriminants(self.classes)
        self.read = fits.languages(layer, langs, "again") if kind == "language" else self.classes

    @property
    def first(self) -> np.ndarray:
        """The first axes, orthonormal [d, m]."""
        return self.axes.orthonormal[:, :FIRST]

    def record(self, middle: np.ndarray | None) -> Layer:
        """All that is told of them; `middle` are the first axes of the layer that others are compared with, if it has
        any."""
        unit, among = self.axes.orthonormal, self.fits.languages(self.layer, self.langs, "again")
        alone = len(self.langs) == 1
        language = [(None, None)] * unit.shape[1] if alone else zip(*held(unit, among)[1:], strict=True)
        rows = zip(self.axes.values, *held(unit, self.read), language, strict=True)
        return Layer(
            layer=self.layer,
            refused=None,
            between=share_between(self.read),
            language_between=None if alone else share_between(among),
            axes=[Axis(**dict(zip(Axis.model_fields, (*row, *own), strict=True))) for *row, own in rows],
            points=self._points(),
            stable=None if middle is None else self._stable(middle),
            transfer=[] if self.kind == "language" or len(self.langs) < 2 else [*map(self._transfer, self.langs)],
        )

    def _points(self) -> list[Point]:
        axes = self.first
        if self.kind == "language":
            origin = self.classes.means.mean(axis=0)  # of the means, as published
            spreads = (axes.T @ self.fits.moments(lang, self.layer).covariance @ axes for lang in self.langs)
            return [
                Point(lang=lang, name=lang, at=((mean - origin) @ axes).tolist(), spread=spread.tolist())
                for lang, mean, spread in zip(self.langs, self.classes.means, spreads, strict=True)
            ]
        each = {lang: self.fits.classes(self.kind, self.layer, [lang]) for lang in self.langs}
        return [
            Point(lang=lang, name=name, at=((mean - self.classes.total.mean) @ axes).tolist(), spread=None)
            for lang, own in each.items()
            for name, n, mean in zip(own.names, own.counts, own.means, strict=True)
            if n
        ]

    def _stable(self, middle: np.ndarray) -> Stable:
        axes, again = self.first, _first(self.read) if self.kind == "language" else None
        d, m = axes.shape
        return Stable(
            angle=angles.mean(axes, middle),
            floor=None if again is None else angles.mean(axes, again),
            chance=angles.by_chance(d, m, middle.shape[1]),
            held=_sum(middle, self.read),
            own=_sum(axes, self.read),
            random=m / d,
        )

    def _transfer(self, lang: str) -> Transfer:
        own, others = (
            self.fits.classes(self.kind, self.layer, [lang]),
            self.fits.classes(self.kind, self.layer, [one for one in self.langs if one != lang]),
        )
        axes = _first(others)
        return Transfer(lang=lang, others=None if axes is None else _sum(axes, own), all=_sum(self.first, own))


def first_axes(fits: Fits, kind: str, layer: int, langs: Sequence[str]) -> np.ndarray | None:
    """The first axes of a layer, [d, m]; None where there are none."""
    try:
        return Found(fits, kind, layer, langs).first
    except NoAxes:
        return None


def _first(classes: Classes) -> np.ndarray | None:
    try:
        return discriminants(classes).orthonormal[:, :FIRST]
    except NoAxes:
        return None


def part(fits: Fits, kind: str, layer: int, langs: Sequence[str], middle: np.ndarray | None) -> Part:
    """A layer; where there are no axes it says why."""
    try:
        found = Found(fits, kind, layer, langs)
        return Part(told=found.record(middle), directions=found.first.T.tolist())
    except NoAxes as error:
        nothing = {"axes": [], "points": [], "stable": None, "transfer": []}
        told = Layer(layer=layer, refused=str(error), between=None, language_between=None, **nothing)
        return Part(told=told, directions=[])


def _sum(axes: np.ndarray, classes: Classes) -> float:
    """What orthonormal axes together hold of all that is between classes."""
    return min(1.0, float(held(axes, classes).of_between.sum()))
