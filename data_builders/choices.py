"""Fewer candidates than a relation has, the same ones in every language (after Fluent-mLAMA's 50 distractors).

A relation has up to thousands of objects, and a model that is not masked reads a sentence for each. Candidates are
chosen by hash as facts are, so the choice does not depend on order, language or run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from itertools import islice


def ranked(relation: str, uris: Sequence[str], sampled: Collection[str]) -> list[int]:
    """The places of a relation's candidates, those to be chosen first in front.

    `uris` are the candidates' URIs in order of place; those in `sampled`, the objects of the facts that are asked
    for, stand before all others. Each of the two parts is in order of a hash of relation and URI.
    """

    def key(place: int) -> tuple[bool, bytes]:
        text = f"{relation}|{uris[place]}"
        return uris[place] not in sampled, hashlib.sha256(text.encode()).digest()

    return sorted(range(len(uris)), key=key)


def choice(ranking: Sequence[int], own: Collection[int], number: int) -> tuple[int, ...]:
    """The places that a question chooses among, in order: `own` and the first others of `ranking`, `number` in all.

    `own` are the places of the right answers, under whatever gold policy the run will be read: they are always in,
    also where they are more than `number`. 0 chooses all.
    """
    if not number:
        return tuple(sorted(ranking))
    own = set(own)
    others = (place for place in ranking if place not in own)
    return tuple(sorted([*own, *islice(others, max(0, number - len(own)))]))
