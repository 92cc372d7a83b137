"""Sums of models and variants in one canonical text: ``xlmr + 0.8*runs/it - runs/toxic``.

An expression is linear: every name has one coefficient, whatever brackets and signs it was written with. What it means
is said in :mod:`fine_tuning.arithmetic.resolving`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from data_builders.errors import FactrootsError

#: A name may hold a minus, as folders do: one that subtracts stands after a space, a bracket or another sign.
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[+*()-])|'(?P<one>[^']+)'|\"(?P<two>[^\"]+)\"|(?P<word>[^\s+*()'\"]+)|(?P<odd>\S))"
)
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE]-?\d+)?")
_PLAIN = re.compile(r"[^\s+*()'\"-][^\s+*()'\"]*")


@dataclass(frozen=True)
class Expression:
    """Coefficients by the names of models and variants, in the order of their first appearance.

    ``str`` writes brackets out and parses back to an equal value; a name that cancels out keeps its place with 0.
    """

    terms: tuple[tuple[str, float], ...]

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read an expression. Raises FactrootsError, which points at the place, for what is none."""
        reader = _Reader(text)
        found = reader.sum()
        if reader.token.kind != "end":
            raise reader.expected("+ or - between two of them")
        if isinstance(found, float):
            raise FactrootsError(f"{text!r} names no variant; write one, as demo + 0.8*runs/it")
        if odd := next((name for name, value in found.items() if not isfinite(value)), None):
            raise FactrootsError(f"{text!r}: the number before {odd} is too large")
        return cls(tuple(found.items()))

    @classmethod
    def of(cls, *terms: tuple[str, float]) -> Expression:
        """The sum of `terms`, names and coefficients."""
        return cls(tuple(_added({}, terms).items()))

    def __str__(self) -> str:
        text = ""
        for name, value in self.terms:
            sign = (" - " if text else "-") if value < 0 else (" + " if text else "")
            text += sign + ("" if abs(value) == 1 else f"{abs(value)!r}*") + _quoted(name)
        return text


def _quoted(name: str) -> str:
    if _PLAIN.fullmatch(name) and not _NUMBER.fullmatch(name):
        return name
    return f'"{name}"' if "'" in name else f"'{name}'"


class _Token(NamedTuple):
    kind: str  # a sign itself, "name", "number" or "end"
    text: str
    at: int


class _Reader:
    """Recursive descent: sum = product (± product)*, product = factor (* factor)*, factor = ±factor | (sum) | word."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = self._tokens()
        self.token = next(self.tokens)

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while match := _TOKEN.match(self.text, at):
            start, at = match.start(match.lastgroup), match.end()
            if match["odd"]:
                raise FactrootsError(
                    f"cannot read {self.text!r} at character {start + 1}: a quotation mark is not closed"
                )
            if match["sign"]:
                yield _Token(match["sign"], match["sign"], start)
            elif match["word"] and _NUMBER.fullmatch(match["word"]):
                yield _Token("number", match["word"], start)
            else:
                yield _Token("name", match["word"] or match["one"] or match["two"], start)
        while True:
            yield _Token("end", "", len(self.text.rstrip()))

    def expected(self, what: str) -> FactrootsError:
        found = f"found {self.token.text!r}" if self.token.text else "it ends there"
        return FactrootsError(f"cannot read {self.text!r} at character {self.token.at + 1}: expected {what}, {found}")

    def take(self) -> _Token:
        taken, self.token = self.token, next(self.tokens)
        return taken

    def sum(self) -> dict[str, float] | float:
        found = self.product()
        while self.token.kind in ("+", "-"):
            sign = self.take()
            other = self.product()
            if isinstance(found, float) or isinstance(other, float):
                number = other if isinstance(other, float) else found
                where = f"cannot read {self.text!r} at character {sign.at + 1}"
                raise FactrootsError(
                    f"{where}: {number!r} stands alone; a number scales a variant, as {number!r}*runs/it"
                )
            found = _added(found, _times(other, -1.0 if sign.kind == "-" else 1.0).items())
        return found

    def product(self) -> dict[str, float] | float:
        found = self.factor()
        while self.token.kind == "*":
            sign = self.take()
            other = self.factor()
            if not isinstance(found, float):
                found, other = other, found
            if not isinstance(found, float):
                where = f"cannot read {self.text!r} at character {sign.at + 1}"
                raise FactrootsError(f"{where}: two variants cannot be multiplied; one side of * is a number")
            found = found * other if isinstance(other, float) else _times(other, found)
        return found

    def factor(self) -> dict[str, float] | float:
        if self.token.kind in ("+", "-"):
            negative = self.take().kind == "-"
            found = self.factor()
            factor = -1.0 if negative else 1.0
            return found * factor if isinstance(found, float) else _times(found, factor)
        if self.token.kind == "(":
            self.take()
            found = self.sum()
            if self.token.kind != ")":
                raise self.expected("a closing bracket")
            self.take()
            return found
        if self.token.kind == "number":
            return float(self.take().text)
        if self.token.kind != "name":
            raise self.expected("a variant, a model or a number")
        return {self.take().text: 1.0}


def _times(terms: dict[str, float], factor: float) -> dict[str, float]:
    return {name: value * factor for name, value in terms.items()}


def _added(terms: dict[str, float], more) -> dict[str, float]:
    found = dict(terms)
    for name, value in more:
        found[name] = found[name] + value if name in found else value
    return found
