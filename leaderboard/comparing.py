"""Two entries of a board side by side: by language and relation, and the facts that they differ on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from data_builders.errors import FactrootsError
from leaderboard.paired import Difference, Pair, changed, differences, groups, pair
from leaderboard.ranking import BY
from leaderboard.sides import Side
from leaderboard.swapping import enough
from leaderboard.text import shown
from probe.corrections import holm
from probe.protocols import Protocol
from probe.uncertainty import LEVEL
from probe.variants.wording import p_value, signed

HEAD = ("", "facts", "A", "B", "A − B", "p", "only A right", "only B right")


class Compared(NamedTuple):
    """A difference of a less b; `p_holm` is two-sided and corrected over its languages or relations, and plain for all
    together."""

    found: Difference
    p_holm: float


class Fact(NamedTuple):
    """A fact that only `side` (``A`` or ``B``) answers rightly."""

    side: str
    lang: str
    relation: str
    item: str
    template: int


class Comparison(NamedTuple):
    """All together first, then languages, then relations; `only_a` and `only_b` count answers that the other lacks."""

    a: str
    b: str
    rows: list[Compared]
    both: Pair
    only_a: int
    only_b: int

    def facts(self) -> Iterator[Fact]:
        """What the two differ on, in order of language, relation and item."""
        for row in changed(self.both, ("gained", "lost")):
            side = "A" if row.change == "gained" else "B"
            yield Fact(side, row.lang, row.relation, row.item, int(row.template))

    def record(self, facts: bool) -> dict[str, Any]:
        """As JSON has it."""
        found = self._asdict() | {"rows": [_record(one) for one in self.rows]}
        del found["both"]
        return found | ({"facts": [fact._asdict() for fact in self.facts()]} if facts else {})


def compare(a: Side, b: Side) -> Comparison:
    """Raises FactrootsError where the two share no fact."""
    both = pair(b.frame, a.frame)  # whose differences are a less b
    if both.items.empty:
        raise FactrootsError(f"{a.name} and {b.name} answer no fact in common")
    how = Protocol.parse(a.submission.result.protocol).aggregate
    found = differences(both, how, BY, enough(len(groups(both.items, BY)), 1 - LEVEL))
    rows = [Compared(found[0], found[0].p)]
    for by in BY:
        own = [one for one in found if one.by == by]
        rows += [Compared(*pair) for pair in zip(own, holm([one.p for one in own]), strict=True)]
    return Comparison(a.name, b.name, rows, both, both.only_b, both.only_a)


def cells(one: Compared) -> tuple[str, ...]:
    """A row of the table (:data:`HEAD`)."""
    found = one.found
    values = [f"{found.n:,}", f"{100 * found.b:.1f}", f"{100 * found.a:.1f}"]
    counts = [f"{found.counts[kind]:,}" for kind in ("gained", "lost")]
    return shown(found.group or "all"), *values, signed(found.difference._asdict()), p_value(one.p_holm), *counts


def _record(one: Compared) -> dict[str, Any]:
    """Of the pair (b, a), in the words of a and b."""
    found = one.found
    return {
        "by": found.by,
        "group": found.group,
        "n": found.n,
        "a": found.b,
        "b": found.a,
        "difference": found.difference._asdict(),
        "p": found.p,
        "p_holm": one.p_holm,
        "only_a_right": found.counts["gained"],
        "only_b_right": found.counts["lost"],
    }
