"""What a corpus's reader met that is no text: counted by reason, with the first few places of each."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Input that is broken: it stops a build unless --skip-bad is given, and the corpus is then called partial.
BAD = {
    "truncated": "the file ends too early",
    "xml": "broken XML",
    "encoding": "not UTF-8",
    "row": "bad row",
}
#: What is left out by design, or mended as well as can be.
NOTED = {
    "redirect": "redirects",
    "namespace": "pages that are no articles",
    "model": "pages that are not wikitext",
    "markup": "pages with broken markup",
    "blank": "blank lines",
    "empty": "documents without text",
}
_SHOWN = 5  # places kept of each reason, so that nothing grows with their number


@dataclass
class Faults:
    """Counts by reason (a key of :data:`BAD` or :data:`NOTED`), and where the first few of each stand."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, place: str = "", detail: str = "") -> None:
        """Count one; with a `place` (file and line or page, without folders) it can be shown."""
        if reason not in BAD and reason not in NOTED:
            raise KeyError(reason)
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if place and len(shown := self.places.setdefault(reason, [])) < _SHOWN:
            shown.append(f"{place}: {detail or BAD.get(reason) or NOTED[reason]}")

    def __add__(self, other: Faults) -> Faults:
        names = sorted(self.counts.keys() | other.counts.keys())
        total = Faults({name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names})
        for name in sorted(self.places.keys() | other.places.keys()):
            total.places[name] = (self.places.get(name, []) + other.places.get(name, []))[:_SHOWN]
        return total

    @property
    def bad(self) -> int:
        """How many mean that input was broken."""
        return sum(self.counts.get(reason, 0) for reason in BAD)

    def bad_lines(self) -> list[str]:
        """Where input was broken: a line for every place kept, and one for those that are counted only."""
        lines = []
        for reason in filter(self.counts.get, BAD):
            shown = self.places.get(reason, [])
            lines += shown
            if (more := self.counts[reason] - len(shown)) and shown:
                lines.append(f"and {more:,} more: {BAD[reason]}")
        return lines

    def summary(self) -> str:
        """All reasons in one line, as ``redirects 12, bad row 1``; empty when there is nothing to say."""
        return ", ".join(f"{BAD.get(r) or NOTED[r]} {n:,}" for r in (*BAD, *NOTED) if (n := self.counts.get(r)))
