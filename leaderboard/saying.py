"""What a check says, line by line: the same in a log, in a JUnit file and in a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.checking import Check, Lost, Tested
from leaderboard.power import POWER
from leaderboard.text import shown
from probe.variants.wording import p_value, signed

#: How many lost facts are named.
FACTS = 20
HEAD = ("", "facts", "baseline", "run", "difference", "p", "sees", "lost", "gained")


def cells(one: Tested) -> tuple[str, ...]:
    """A row of the table (:data:`HEAD`)."""
    found = one.found
    return (
        shown(one.name),
        f"{found.n:,}",
        f"{100 * found.a:.1f}",
        f"{100 * found.b:.1f}",
        signed(found.difference._asdict()),
        p_value(one.p),
        points(one.sees),
        f"{found.counts['lost']:,}",
        f"{found.counts['gained']:,}",
    )


def points(drop: float | None) -> str:
    return "none" if drop is None else f"{100 * drop:.1f}"


def rows(check: Check) -> list[Tested]:
    """What the table shows: all together, and what fell."""
    return [check.tested[0], *(one for one in check.tested[1:] if one.fell)]


def verdict(check: Check) -> str:
    """One line."""
    if check.reasons:
        return f"P@1 fell: {'; '.join(shown(reason, 300) for reason in check.reasons)}"
    return "no drop of P@1 found"


def power(check: Check) -> list[str]:
    """What the check can see, and how often it would be wrong."""
    first, others = check.tested[0], check.tested[1:]
    found = [
        f"power: over all, {_sees(first)} with a power of {100 * POWER:.0f} % at alpha {check.alpha:g}"
        f"{f', corrected for {len(check.tested)} tests' if others else ''}"
    ]
    if others:
        seen = sorted((one for one in others if one.sees is not None), key=lambda one: one.sees)
        blind = [one.found.group for one in others if one.sees is None]
        if seen:
            ends = [f"{points(one.sees)} points ({shown(one.found.group)})" for one in (seen[0], seen[-1])]
            found.append(f"by {check.by}: drops from {' to '.join(dict.fromkeys(ends))}")
        if blind:
            more = f" and {len(blind) - 10} more" if len(blind) > 10 else ""
            found.append(f"blind, whatever the drop: {', '.join(map(shown, blind[:10]))}{more}")
    if check.max_drop is not None:
        found.append(
            f"noise alone, as much as the two disagree, crosses --max-drop {check.max_drop:g} in "
            f"{100 * check.beyond:.1f} % of checks"
        )
    return found


def _sees(one: Tested) -> str:
    return "no drop is seen" if one.sees is None else f"a drop of {points(one.sees)} points is seen"


def uneven(check: Check) -> list[str]:
    """Answers that only one of the two has."""
    found = []
    if check.only_baseline:
        found.append(f"{check.only_baseline:,} facts that the baseline answered could not be asked of the run")
    if check.only_run:
        found.append(f"{check.only_run:,} facts that the run answered could not be asked of the baseline")
    return found


def quiet_groups(check: Check) -> list[str]:
    """How many groups have no row."""
    number = sum(not one.fell for one in check.tested[1:])
    return [f"{number:,} of {len(check.tested) - 1:,} by {check.by} did not fall"] if check.by else []


def facts(lost: Sequence[Lost]) -> list[str]:
    """The first of the lost facts, and how many more there are."""
    said = [
        shown(f"{one.lang} {one.item}{f' (template {one.template})' if one.template else ''}") for one in lost[:FACTS]
    ]
    return said + ([f"… and {len(lost) - FACTS:,} more"] if len(lost) > FACTS else [])
