"""What a fact asks of an index: the names of its subject and of its object, as the streaming pass looks for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data_builders.errors import FactrootsError
from probe.tracing.matching import Matching
from probe.tracing.names import Names, names


class Asked(NamedTuple):
    """Folded names; ``longer`` are names of the fact set that hold one of them, and hide it where they stand."""

    subject: tuple[str, ...]
    object: tuple[str, ...]
    longer: tuple[str, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether one mention can be of both."""
        return not set(self.subject).isdisjoint(self.object)


def asked(facts: pa.Table, row: int, matching: Matching) -> Asked:
    """What row `row` of a language's facts asks for. Raises FactrootsError where a name cannot be looked for."""
    known = names(facts, matching)
    if known.faults[row]:
        label = f"{facts['subject'][row]} – {facts['object'][row]}"
        raise FactrootsError(f"{label}: {known.faults[row]}; with --names 'names(short)' it is looked for, too")
    subject, object_ = (_names(known, thing) for thing in known.pairs[row].tolist())
    own = subject + object_
    longer = ()
    if matching.overlap == "longest":
        longer = tuple(name for name in known.names if any(name != part and part in name for part in own))
    return Asked(subject, object_, longer)


def _names(known: Names, thing: int) -> tuple[str, ...]:
    places = np.searchsorted(known.starts, np.flatnonzero(known.owners == thing), side="right") - 1
    return tuple(known.names[place] for place in places.tolist())
