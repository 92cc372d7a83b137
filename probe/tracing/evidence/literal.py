"""Where a name stands in one text: the plain way, and back to the text as it was before folding."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import NamedTuple

from probe.tracing.characters import CLOSED, FREE, edges, fold, marks


class Folded(NamedTuple):
    """A folded text; its character `i` comes from the original's characters [starts[i], stops[i])."""

    text: str
    starts: list[int]
    stops: list[int]


def folded(text: str, how: str) -> Folded:
    """`text` folded cluster by cluster, a cluster being a character and the marks that may join it."""
    whole = fold(text, how)
    order, composes = marks()
    codes = [ord(character) for character in text]
    joining = (order[codes] > 0) | composes[codes]
    cuts = [i for i, joins in enumerate(joining.tolist()) if i == 0 or not joins] + [len(text)]
    pieces, starts, stops = [], [], []
    for start, stop in pairwise(cuts):
        piece = fold(text[start:stop], how)
        pieces.append(piece)
        starts += [start] * len(piece)
        stops += [stop] * len(piece)
    if "".join(pieces) != whole:  # no such text is known; a mention would then be shown as the whole of it
        starts, stops = [0] * len(whole), [len(text)] * len(whole)
    return Folded(whole, starts, stops)


def spans(names: Iterable[str], text: str) -> list[tuple[int, int]]:
    """Where folded names stand in a folded text, sorted, each place [start, stop) once."""
    found = set()
    for name in names:
        at = text.find(name)
        while at >= 0:
            if not _inside(text, at, at + len(name)):
                found.add((at, at + len(name)))
            at = text.find(name, at + 1)
    return sorted(found)


def original(places: Iterable[tuple[int, int]], text: Folded) -> tuple[tuple[int, int], ...]:
    """Places in the folded text as places in the original."""
    return tuple((text.starts[start], text.stops[stop - 1]) for start, stop in places)


def together(subjects: Collection[tuple[int, int]], objects: Collection[tuple[int, int]]) -> bool:
    """Whether both are mentioned, and not all mentions are one and the same."""
    return bool(subjects and objects) and len({*subjects, *objects}) > 1


def _inside(text: str, start: int, stop: int) -> bool:
    """Whether one of the edges is inside a word (or the first inside a run of Hangul)."""
    kinds = edges()
    first, last = kinds[ord(text[start])], kinds[ord(text[stop - 1])]
    if start and first != FREE and kinds[ord(text[start - 1])] == first:
        return True
    return stop < len(text) and last == CLOSED and kinds[ord(text[stop])] == CLOSED
