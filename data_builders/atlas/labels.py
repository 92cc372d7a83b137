"""What things are called in a language, by code: CLDR's own names, never English ones in their place."""

from __future__ import annotations

import re
from functools import cache

from data_builders.atlas.tables import table

#: A locale that renames fewer cities than this has not been worked on (la 0, ceb 2; the next is en with 8),
#: so that a city it does not name is unknown there, not spelled as in the zone's id.
FEWEST_CITIES = 5

_NOTE = re.compile(r"\s*[(（][^()（）]*[)）]$")
_INVERTED = re.compile(r"(.+), (\w+)")
#: Hints for typesetting that are no part of a name: soft hyphen and the two direction marks.
_HINTS = str.maketrans("", "", "\u00ad\u200e\u200f")


@cache
def labels(lang: str) -> dict[str, dict[str, str]]:
    """Names by kind (place, city, language, script, currency) and code; what the locale does not name is not there."""
    from babel import Locale

    locale = Locale.parse(lang)
    kinds = {
        "place": plain(dict(locale.territories)),
        "city": cities(locale),
        "language": {code: name for code, name in locale.languages.items() if "_" not in code},
        "script": dict(locale.scripts),
        "currency": dict(locale.currencies),
    }
    return {kind: {code: name.translate(_HINTS) for code, name in names.items()} for kind, names in kinds.items()}


def plain(names: dict[str, str]) -> dict[str, str]:
    """`names` without a note in parentheses ("Myanmar (Burma)"), unless it tells two names apart ("Congo (…)")."""

    def short(code: str) -> str:
        bare = _NOTE.sub("", names[code])
        others = (name for other, name in names.items() if other != code)
        return names[code] if bare == names[code] or any(name.startswith(bare) for name in others) else bare

    return {code: short(code) for code in names}


def cities(locale) -> dict[str, str]:
    """Names of the zones' exemplar cities by the zone's current id.

    CLDR leaves out a name that equals the last part of the zone's id, which is sound for Latin scripts only.
    Locale data keeps CLDR's old ids ("Asia/Calcutta"), so that they are mapped to today's; one locale
    inverts a name for sorting ("Caire, el").
    """
    from babel.core import get_global
    from babel.localedata import load

    aliases, likely = get_global("zone_aliases"), get_global("likely_subtags")
    root = {zone: names.get("city") for zone, names in load("root")["time_zones"].items()}
    listed = {zone: names["city"] for zone, names in locale.time_zones.items() if names.get("city")}
    own = {zone for zone, city in listed.items() if city != root.get(zone) and not zone.startswith("Etc/")}
    if len(own) < FEWEST_CITIES:
        return {row["zone"]: row["name"] for row in table("cities") if row["lang"] == locale.language}
    latin = "_Latn_" in likely[locale.language]
    spelled = {zone: zone.rpartition("/")[2].replace("_", " ") for zone in get_global("zone_territories") if latin}
    named = {zone: _INVERTED.sub(r"\2 \1", city) for zone, city in listed.items() if latin or zone in own}
    return spelled | {aliases.get(zone, zone): city for zone, city in named.items()}
