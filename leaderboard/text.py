"""Text that a stranger wrote and others will see: short, of one line, and nothing that a screen would act upon."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

#: The longest text anywhere in a submission, and the longest of some, by the key that they stand under.
LONGEST = 4000
LENGTHS = {"lang": 64, "protocol": 1000, "note": 500, "origin": 40, "metric": 100, "method": 500, "base": 500}
#: The longest key: a relation, a reason, a package.
LONGEST_KEY = 300

#: Joiners that Persian and the scripts of India need; all others of their kind (Cf) order or hide text.
_JOINERS = "\u200c\u200d"
_KINDS = {
    "Cc": "a control character",
    "Cf": "a character that hides or reorders text",
    "Cs": "half a character",
    "Co": "a character of private use",
    "Cn": "a character that does not exist",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_MARKUP = re.compile(r"<\s*[a-zA-Z/!?]")


def fault_of(text: str, longest: int = LONGEST) -> str | None:
    """What is wrong with one text, or None."""
    if len(text) > longest:
        return f"is {len(text):,} characters long, and {longest:,} are allowed"
    for character in text:
        kind = _KINDS.get(unicodedata.category(character))
        if kind and character not in _JOINERS:
            return f"holds {kind}, U+{ord(character):04X}"
    return "looks like HTML, which is never shown as such" if _MARKUP.search(text) else None


def faults(value: Any, where: str = "") -> Iterator[str]:
    """What is wrong with any text or key below a JSON value, a line each, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if fault := fault_of(key, LONGEST_KEY):
                yield f"{where or 'the top'}: the key {shown(key)} {fault}"
            yield from faults(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from faults(inner, f"{where}.{number}")
    elif isinstance(value, str) and (fault := fault_of(value, LENGTHS.get(where.rpartition(".")[2], LONGEST))):
        yield f"{where} {fault}"


def shown(text: object, longest: int = 80) -> str:
    """A text as it may be put into a message: cut short, and whatever a terminal would act upon spelled out."""
    text = str(text)
    safe = "".join(c if unicodedata.category(c) not in _KINDS else f"\\u{ord(c):04x}" for c in text[:longest])
    return repr(safe)[1:-1].replace("\\\\u", "\\u") + ("…" if len(text) > longest else "")
