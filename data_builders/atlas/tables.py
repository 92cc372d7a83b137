"""The atlas's own facts: small CSV tables that Babel lacks. Facts only; every label comes from CLDR."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

TABLES = Path(__file__).parent / "tables"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of ``tables/<name>.csv``, in the file's order.

    ``capitals``: territory, zone. ``places``: territory, continent, region (M49 codes; the 193 members and
    two observers of the United Nations, and Taiwan). ``not_cities``: zone, what it names instead of a city.
    """
    with open(TABLES / f"{name}.csv", encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
