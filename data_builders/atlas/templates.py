"""Reads the atlas's templates: one JSON Lines file a language, ``{"relation", "template", "made"}`` a line."""

from __future__ import annotations

import json
from pathlib import Path

from data_builders.facts import Template

FOLDER = Path(__file__).parent / "templates"


def languages() -> list[str]:
    """The languages that have templates, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def templates(lang: str) -> list[Template]:
    """The templates of `lang` in the file's order; none for a language that has facts only."""
    if lang not in languages():
        return []
    lines = (FOLDER / f"{lang}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Template(row["relation"], lang, row["template"], row["made"]) for row in map(json.loads, lines)]
