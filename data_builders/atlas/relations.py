"""What the atlas states: for each relation the pairs of codes that hold, the same in every language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import NamedTuple

from data_builders.atlas.tables import table

#: Currencies change: the day at which one must be tender, so that the facts do not drift with the clock.
AS_OF = date(2025, 1, 1)
#: Han in its simplified and its traditional form is one writing system.
_HAN = {"Hans": "Hani", "Hant": "Hani"}

Pairs = list[tuple[str, str]]


class Relation(NamedTuple):
    """Kinds of name on both ends (:func:`data_builders.atlas.labels.labels`) and the pairs of codes."""

    subject: str
    object: str
    pairs: Callable[[], Pairs]


def capitals() -> Pairs:
    """(territory, zone) of every capital that is the exemplar city of a zone."""
    return [(row["territory"], row["zone"]) for row in table("capitals")]


def capital_of() -> Pairs:
    """(zone, territory)."""
    return [(zone, territory) for territory, zone in capitals()]


def continents() -> Pairs:
    """(territory, M49 continent)."""
    return [(row["territory"], row["continent"]) for row in table("places")]


def regions() -> Pairs:
    """(territory, M49 sub-region)."""
    return [(row["territory"], row["region"]) for row in table("places")]


def official_languages() -> Pairs:
    """(territory, language) official by law in the whole state, or in fact where no law names one; may be several."""
    from babel.languages import get_official_languages as official

    codes = [(place, code) for place in _places() for code in official(place) or official(place, de_facto=True)]
    # "sr_Latn" and "sr" are one language
    return list(dict.fromkeys((place, code.partition("_")[0]) for place, code in codes))


def currencies() -> Pairs:
    """(territory, currency) for legal tender on :data:`AS_OF`; several where there are several."""
    from babel.numbers import get_territory_currencies

    return [(t, code) for t in _places() for code in get_territory_currencies(t, start_date=AS_OF, tender=True)]


def city_countries() -> Pairs:
    """(zone, territory) for zones whose exemplar is a city in one of the places."""
    from babel.core import get_global

    places, others = set(_places()), {row["zone"] for row in table("not_cities")}
    zones = sorted(get_global("zone_territories").items())
    return [(zone, territory) for zone, territory in zones if territory in places and zone not in others]


def writing_systems() -> Pairs:
    """(language, script) by CLDR's likely subtags."""
    from babel.core import get_global

    likely = {code: tag.split("_")[1] for code, tag in get_global("likely_subtags").items() if tag.count("_") == 2}
    return [(code, _HAN.get(script, script)) for code, script in sorted(likely.items()) if "_" not in code]


def _places() -> list[str]:
    return [row["territory"] for row in table("places")]


RELATIONS = {
    "P17": Relation("city", "place", cache(city_countries)),
    "P30": Relation("place", "place", cache(continents)),
    "P36": Relation("place", "city", cache(capitals)),
    "P37": Relation("place", "language", cache(official_languages)),
    "P38": Relation("place", "currency", cache(currencies)),
    "P282": Relation("language", "script", cache(writing_systems)),
    "P361": Relation("place", "place", cache(regions)),
    "P1376": Relation("city", "place", cache(capital_of)),
}
