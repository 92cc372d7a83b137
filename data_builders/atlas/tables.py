"""The atlas's own facts: small CSV tables of what Babel lacks."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

TABLES = Path(__file__).parent / "tables"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of ``tables/<name>.csv``, in the file's order.

    - ``languages``: lang, mLAMA's 53, whose names in CLDR were looked at.
    - ``places``: territory, continent, region (M49 codes): the 193 members and the two observers of the
      United Nations, and Taiwan.
    - ``capitals``: territory, zone: every capital that is the exemplar city of a time zone.
    - ``not_cities``: zone, what: zones named after something other than a city.
    - ``cities``: lang, zone, name: well-known cities in the two languages whose locale names none
      (written by a model, not reviewed by speakers).
    """
    with open(TABLES / f"{name}.csv", encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
