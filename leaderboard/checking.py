"""Whether a run has fallen behind a baseline: a gate for CI that says what it can and cannot see."""

from __future__ import annotations

from typing import Any, NamedTuple

from data_builders.errors import FactrootsError
from leaderboard.comparable import parts
from leaderboard.paired import Difference, Pair, changed, differences, groups, pair
from leaderboard.power import POWER, smallest_drop
from leaderboard.sides import Side
from leaderboard.swapping import enough
from probe.corrections import holm
from probe.protocols import Protocol


class Tested(NamedTuple):
    """A drop that was tested for: `p` is one-sided, corrected by Holm's method over all that was tested.

    sees : the smallest drop that is found with the power :data:`leaderboard.power.POWER` where all others are tested
    too; None is none at all.
    """

    found: Difference
    p: float
    fell: bool
    sees: float | None

    @property
    def name(self) -> str:
        return "overall" if self.found.group is None else f"{self.found.by} {self.found.group}"


class Lost(NamedTuple):
    """A fact that the baseline answered rightly, and the run does not."""

    lang: str
    relation: str
    item: str
    template: int


class Check(NamedTuple):
    """What a check found. `only_baseline` and `only_run` are items that the other has no answer to; `beyond` is how
    often noise alone would cross `max_drop`, both None where none was given."""

    baseline: str
    run: str
    means: str
    alpha: float
    by: str | None
    max_drop: float | None
    beyond: float | None
    tested: list[Tested]
    lost: list[Lost]
    only_baseline: int
    only_run: int

    @property
    def reasons(self) -> list[str]:
        """Why the check fails, a line each; none where it does not."""
        overall = self.tested[0].found.difference.value
        found = [f"{one.name} fell, p {one.p:.2g}" for one in self.tested if one.fell]
        if self.max_drop is not None and overall < -self.max_drop - 1e-12:
            found.append(f"overall fell by {-100 * overall:.2f} points, and --max-drop allows {100 * self.max_drop:g}")
        return found

    def record(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        plain = self._asdict() | {"failed": bool(self.reasons), "reasons": self.reasons, "power": POWER}
        plain["tested"] = [
            {
                **one.found._asdict(),
                "difference": one.found.difference._asdict(),
                "p_holm": one.p,
                "fell": one.fell,
                "sees": one.sees,
            }
            for one in self.tested
        ]
        plain["lost"] = [one._asdict() for one in self.lost]
        return plain


def check(a: Side, b: Side, alpha: float = 0.05, by: str | None = None, max_drop: float | None = None) -> Check:
    """Test a run, b, for a drop against a baseline, a, that means the same: over all, and by language or relation.

    Raises FactrootsError where they share no fact, and where so many groups cannot be tested at `alpha`.
    """
    both = pair(a.frame, b.frame)
    if both.items.empty:
        raise FactrootsError(f"{a.name} and {b.name} answer no fact in common")
    wanted = (by,) if by else ()
    tests = len(groups(both.items, wanted))
    how = Protocol.parse(a.submission.result.protocol).aggregate
    found = differences(both, how, wanted, enough(tests, alpha), max_drop or 0.0)
    tested = [
        Tested(one, p, p <= alpha, smallest_drop(one.a, one.step, _noise(one, p <= alpha), alpha / tests))
        for one, p in zip(found, holm([one.low for one in found]), strict=True)
    ]
    return Check(
        a.name,
        b.name,
        f"{parts(a.submission)['facts']}, {a.submission.result.protocol}",
        alpha,
        by,
        max_drop,
        found[0].beyond if max_drop is not None else None,
        tested,
        _lost(both, tested, by),
        both.only_a,
        both.only_b,
    )


def _noise(found: Difference, fell: bool) -> float:
    """How uncertain a difference is; of one that is a drop, what the drop itself brings is no noise."""
    own = found.step * -found.difference.value if fell else 0.0
    return max(0.0, found.error**2 - own) ** 0.5


def _lost(both: Pair, tested: list[Tested], by: str | None) -> list[Lost]:
    """Those of groups that fell come first."""
    fell = {one.found.group for one in tested if one.fell and one.found.group}
    found = [Lost(row.lang, row.relation, row.item, int(row.template)) for row in changed(both, ("lost",))]
    return sorted(found, key=lambda one: by is not None and getattr(one, by) not in fell)
