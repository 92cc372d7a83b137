"""Numbers that others have published, as data. The first lines of each file, which begin with #, say where from."""

from __future__ import annotations

import csv
from pathlib import Path


def published(name: str) -> dict[str, dict[str, float]]:
    """The rows of ``<name>.csv`` by language, each a mapping from column to number."""
    with open(Path(__file__).parent / f"{name}.csv", encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(line for line in stream if not line.startswith("#"))
        return {row.pop("lang"): {column: float(value) for column, value in row.items()} for row in rows}
