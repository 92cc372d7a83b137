"""What languages, roots and numbers are called on every page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from babel import Locale, UnknownLocaleError

from probe.tracing.roots.summary import ORDER


def root_names(names: Iterable[str]) -> list[str]:
    """Names of roots as they are shown, beside each other and never twice."""
    parts = {name for name in names if name.startswith("cue:")}
    return sorted({*names} - ({"cue"} if parts else set()), key=_place)


def _place(name: str) -> tuple[int, str]:
    return next((i for i, root in enumerate(ORDER) if name.startswith(root)), len(ORDER)), name


@cache
def language(code: str) -> str:
    """A language's English name, or its code."""
    try:
        return Locale.parse(code.replace("-", "_")).get_display_name("en") or code
    except (UnknownLocaleError, ValueError, TypeError):
        return code


def percent(value: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.1f}"


def between(ci) -> str:
    """An interval in percent."""
    return f"[{percent(ci.low)}, {percent(ci.high)}]"


def count(number: int | None) -> str:
    """A whole number; a dash where it is not known."""
    return "–" if number is None else f"{number:,}"
