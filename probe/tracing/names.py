"""What is looked for in a language: the things of its facts, their names, and which things belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from probe.tracing.characters import folded_name, singles
from probe.tracing.matching import Matching


@dataclass(frozen=True)
class Names:
    """Things are subjects and objects, told apart by their URIs; a thing has one or more folded names.

    names : distinct, in the order in which they come up.
    owners, starts : the things that name `i` may mean are ``owners[starts[i]:starts[i + 1]]``.
    pairs : the things of each fact, [facts, 2]: its subject and its object.
    faults : for each fact, why it cannot be looked for, or None.
    """

    names: list[str]
    owners: np.ndarray
    starts: np.ndarray
    pairs: np.ndarray
    faults: list[str | None]

    @property
    def things(self) -> int:
        return int(self.pairs.max(initial=-1)) + 1


def names(facts: pa.Table, matching: Matching) -> Names:
    """The names of a language's facts (:data:`data_builders.facts.SCHEMA`)."""
    things: dict[str, int] = {}
    labels: list[dict[str, None]] = []
    sides = []
    for uris, own in ((facts["subject_uri"], facts["subject"]), (facts["object_uri"], facts["object"])):
        side = []
        for uri, label in zip(uris.to_pylist(), own.to_pylist(), strict=True):
            thing = things.setdefault(uri, len(things))
            if thing == len(labels):
                labels.append({})
            labels[thing][label] = None
            side.append(thing)
        sides.append(side)
    if matching.aliases and "aliases" in facts.column_names:
        for thing, more in zip(sides[1], facts["aliases"].to_pylist(), strict=True):
            labels[thing].update(dict.fromkeys(more or ()))
    meant: dict[str, list[int]] = {}
    why: list[str | None] = []
    for thing, own in enumerate(labels):
        folded = list(dict.fromkeys(folded_name(label, matching.fold) for label in own))
        usable = [name for name in folded if not _fault(name, matching)]
        why.append(None if usable else _fault(folded[0], matching))
        for name in usable:
            meant.setdefault(name, []).append(thing)
    pairs = np.array(sides, np.int32).reshape(2, -1).T
    starts = np.cumsum([0, *map(len, meant.values())]).astype(np.int32)
    owners = np.array([thing for own in meant.values() for thing in own], np.int32)
    return Names(list(meant), owners, starts, pairs, [why[s] or why[o] for s, o in pairs.tolist()])


def _fault(name: str, matching: Matching) -> str | None:
    if not name:
        return "a name without letters"
    return "a name of one letter" if len(name) == 1 and not matching.short and not singles()[ord(name)] else None
