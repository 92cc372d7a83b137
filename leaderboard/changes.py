"""What each variant of a class changed: its score less its base's, and the facts kept, gained and lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_builders.progress import Quiet
from leaderboard.classes import Class
from leaderboard.drawn import draw
from leaderboard.entry import Entry
from leaderboard.ranking import PARTS, answered, within
from probe.estimates import Estimate
from probe.uncertainty import interval
from probe.variants.transitions import KINDS, change


class Changed(NamedTuple):
    """A variant and its base on the items that both answered; `lacks` says why there is nothing to tell.

    difference : the variant's score less its base's, with its paired interval. counts : how many items became what
    (:data:`probe.variants.transitions.KINDS`).
    """

    entry: Entry
    base: Entry | None
    lacks: list[str]
    difference: Estimate | None
    counts: dict[str, int]


def changes(one: Class, langs: Sequence[str] = (), progress: Quiet | None = None) -> list[Changed]:
    """Every variant of a class, in order of names, in some languages or all."""
    found = [_of_base(entry, one.entries) for entry in one.entries if entry.submission.variant]
    wanted = [entry for change in found if change.base for entry in (change.base, change.entry)]
    if not wanted:
        return found
    entries = list({entry.name: entry for entry in wanted}.values())
    held = within(answered(entries, PARTS["all"], progress or Quiet()), langs).matrix
    drawn = draw(held, one.how)
    row = dict(zip((entry.name for entry in entries), held.row, strict=True))
    p1 = held.p1()
    return [
        own if own.base is None else _changed(own, drawn, p1, row[own.base.name], row[own.entry.name]) for own in found
    ]


def _of_base(entry: Entry, entries: Sequence[Entry]) -> Changed:
    """A variant with the entry of its base: of that name, and run in the same number format."""
    name, fmt = entry.submission.variant.base, _format(entry)
    fitting = [e for e in entries if not e.submission.variant and e.submission.model == name and _format(e) == fmt]
    if len(fitting) == 1:
        return Changed(entry, fitting[0], [], None, {})
    few = "is not in this table" if not fitting else "is there more than once"
    return Changed(entry, None, [f"its base: {name} {few}"], None, {})


def _format(entry: Entry) -> tuple:
    model = entry.submission.result.model
    return tuple(model[key] for key in ("revision", "dtype", "quantization"))


def _changed(own: Changed, drawn, p1: np.ndarray, base: int, row: int) -> Changed:
    values = drawn.less(row, np.array([base]))[0]
    both = ~np.isnan(p1[base]) & ~np.isnan(p1[row])
    if not both.any():
        return own._replace(base=None, lacks=["facts: none that its base answered too"])
    became = change(p1[base, both], p1[row, both])
    counts = {kind: int((became == kind).sum()) for kind in KINDS}
    return own._replace(difference=Estimate(float(values[0]), *interval(values[1:])), counts=counts)
