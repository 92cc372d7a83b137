"""Axes of classes as records: one a layer, and all of them in ``axes.json``."""

from __future__ import annotations

from typing import Literal

from data_builders.schema import Count, Record, Sha256, Share
from probe.geometry.distance_record import Finite, Size

SCHEMA_VERSION = 1


class Axis(Record):
    """One axis, of unit length, orthogonal to those before it.

    ratio : of the discriminant it is made of, variance between classes over that within. of_total, of_between,
    explained : see :class:`probe.geometry.discriminants.Held`. language, language_explained : the last two of languages
    in place of the classes, of all that is between languages and of what the axis holds; None of a single language.
    """

    ratio: Size
    of_total: Share
    of_between: Share
    explained: Share
    language: Share | None
    language_explained: Share | None


class Point(Record):
    """A class's mean in a language along the first axes, from the middle of all. spread : covariance of the language's
    tokens along them; None for classes within languages."""

    lang: str
    name: str
    at: list[Finite]
    spread: list[list[Finite]] | None


class Stable(Record):
    """The first axes at a layer beside those of the middle layer.

    angle : between the two, the mean principal angle in degrees. floor : between the first axes found on ``fit`` and on
    ``again`` at the layer; None where nothing was found on ``again``. chance : of random axes. held : of all that is
    between classes at this layer, what the middle layer's axes hold; own : what its own do; random : what as many
    random ones do on average.
    """

    angle: Size
    floor: Size | None
    chance: Size
    held: Share
    own: Share
    random: Share


class Transfer(Record):
    """Of what is between classes in a language, what the first axes hold that were found on the others (None where none
    were), and those that were found on all."""

    lang: str
    others: Share | None
    all: Share


class Layer(Record):
    """Axes at a layer. refused : why there are none.

    between, language_between : of all variance, what is between classes, and between languages: what a random axis
    explains.
    """

    layer: Count
    refused: str | None
    between: Share | None
    language_between: Share | None
    axes: list[Axis]
    points: list[Point]
    stable: Stable | None
    transfer: list[Transfer]


class Part(Record):
    """A layer while others are at work: what is told of it, and its first axes, [m][d]."""

    told: Layer
    directions: list[list[Finite]]


class Kind(Record):
    """Axes of one kind of classes. read : the part of the text that shares are told on; for languages it is not the one
    that axes were found on."""

    kind: Literal["language", "position", "pos"]
    langs: list[str]
    names: list[str]
    read: Literal["fit", "again"]
    layers: list[Layer]


class Axes(Record):
    """``axes.json``; ``axes.safetensors`` has the directions. middle : the layer that others are compared with."""

    schema_version: Literal[1] = SCHEMA_VERSION
    signature: str
    model: str
    fits: Sha256
    middle: Count
    width: Count
    kinds: list[Kind]
    code: dict[str, str | bool | None]
    packages: dict[str, str]
