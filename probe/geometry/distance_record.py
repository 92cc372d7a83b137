"""Distances between languages as records: one a layer, and all of them in ``distance.json``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from data_builders.schema import Count, Record, Sha256, Share

SCHEMA_VERSION = 1
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Pair(Record):
    """Two languages' distance, measured on ``fit``.

    low, high : the least and the greatest of all four that ``fit`` and ``again`` of the two give; no confidence
    interval. floor : the root mean square of the two languages' own, between ``fit`` and ``again``. above : the root of
    what the square has beyond the floor's, 0 where it has nothing; None where squares do not add up. chance : of
    subspaces as large that have nothing in common.
    """

    lang: str
    other: str
    measure: str
    value: Size
    low: Size
    high: Size
    floor: Size
    above: Size | None
    chance: Size | None


class Floor(Record):
    """A language's distance from itself.

    value : between ``fit`` and ``again``. independent : between two samples of as many independent normal tokens with
    the mean and covariance of ``fit``, drawn once. closed : what that comes near with many tokens, where there is a
    formula. value / independent is what it costs that a sequence's tokens are alike, and not normal.
    """

    lang: str
    measure: str
    value: Size
    independent: Size
    closed: Size | None


class Map(Record):
    """The languages by one measure (:mod:`probe.geometry.maps`); merges as scipy has them, order of leaves."""

    measure: str
    langs: list[str]
    points: list[list[Finite]]
    share: Share
    stress: Size
    merges: list[list[Finite]]
    order: list[str]


class Layer(Record):
    """What was measured at a layer.

    dims : how many directions vary; a Riemannian distance over the root of it is the root mean square of the log ratio
    of variances. k : each language's dimensions of principal angles. lacking : by language that was left out, how many
    directions vary in others and not in it.
    """

    layer: Count
    dims: Count
    k: dict[str, Count]
    lacking: dict[str, Count]
    pairs: list[Pair]
    floors: list[Floor]
    maps: list[Map]


class Distances(Record):
    """``distance.json``. fits : the hash of ``fits.json``. tokens : of ``fit``, by language."""

    schema_version: Literal[1] = SCHEMA_VERSION
    signature: str
    model: str
    fits: Sha256
    langs: list[str]
    measures: list[str]
    variance: Share
    seed: int
    width: Count
    tokens: dict[str, Count]
    layers: list[Layer]
    code: dict[str, str | bool | None]
    packages: dict[str, str]
