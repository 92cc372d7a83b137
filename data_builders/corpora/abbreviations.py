"""Words with a dot that end no sentence: spaCy's tokenizer exceptions, and a table for what they lack."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files

#: The language whose Defaults serve those that spaCy has none of.
OTHERS = "xx"
_ABBREVIATION = re.compile(r"[^\W_][^\s]*\.")


def defaults(lang: str):
    """spaCy's Defaults of a language, or of no language in particular; its tokenizer, which may need a package, is
    not built."""
    from spacy.util import get_lang_class

    try:
        return get_lang_class(lang).Defaults
    except ImportError:
        return get_lang_class(OTHERS).Defaults


@lru_cache
def abbreviations(lang: str) -> frozenset[str]:
    """Abbreviations without their last dot, as they are written."""
    own = {word[:-1] for word in defaults(lang).tokenizer_exceptions if _ABBREVIATION.fullmatch(word)}
    return frozenset(own.union(_table("*")["always"], _table(lang)["always"]))


@lru_cache
def before_numbers(lang: str) -> frozenset[str]:
    """Abbreviations, in small letters, that end no sentence when a number follows: "no. 5"."""
    return frozenset(_table("*")["before_numbers"] + _table(lang)["before_numbers"])


@lru_cache
def _table(lang: str) -> dict[str, list[str]]:
    lines = files(__package__).joinpath("abbreviations.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (row for row in map(json.loads, lines) if row["lang"] == lang)
    return {key: row[key].split() for row in rows for key in ("always", "before_numbers")} or {
        "always": [],
        "before_numbers": [],
    }
