"""Evidence shown: the counts in a line, then the passages with both names marked."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from probe.tracing.evidence.search import Evidence

SUBJECT, OBJECT = "bold cyan", "bold underline magenta"
_CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if code != ord("\n")}


class Shown(NamedTuple):
    """Evidence with what it is of. ``fit``: how well a user's index fits the analyzer assumed, None for our own."""

    lang: str
    fact: str
    subject: str
    object: str
    unit: str
    passages: int
    analyzer: str | None
    fit: float | None
    evidence: Evidence

    @classmethod
    def of(cls, lang: str, fact: dict, index, evidence: Evidence) -> Shown:
        """What `index` has of a `fact`, a row of the fact set."""
        labels = fact["fact"], fact["subject"], fact["object"]
        return cls(lang, *labels, index.unit, index.passages, index.analyzer, index.fit, evidence)


def as_dict(shown: Shown) -> dict:
    """Everything, for JSON."""
    evidence = shown.evidence
    return {
        **{name: getattr(shown, name) for name in Shown._fields[1:-1]},
        "together": evidence.together,
        "counts": evidence.counts._asdict(),
        "hits": [hit._asdict() for hit in evidence.hits],
    }


def show(shown: Shown, console: Console) -> None:
    """Print it; names in a language's own order of reading."""
    head = Text.assemble(
        (shown.lang, "bold"), "  ", (_clean(shown.subject), SUBJECT), " – ", (_clean(shown.object), OBJECT)
    )
    head.append(f"  ({_clean(shown.fact)})")
    _print(console, head)
    for line in lines(shown):
        _print(console, Text(line))
    for number, hit in enumerate(shown.evidence.hits, 1):
        _print(console, Text(f"{number:>3}  {hit.id}  {_clean(hit.title)}".rstrip(), style="dim"))
        text = Text(_clean(hit.text))
        for places, style in ((hit.subject, SUBJECT), (hit.object, OBJECT)):
            for start, stop in places:
                text.stylize(style, start, stop)
        for line in text.split("\n"):
            _print(console, Text("     ").append_text(line))


def lines(shown: Shown) -> list[str]:
    """What the counts say, and how far they can be trusted."""
    counts, together = shown.evidence.counts, shown.evidence.together
    many = f"{shown.passages:,} {shown.unit}s"
    if shown.fit is not None:
        return _of_users_index(shown, many)
    found = [f"subject in {counts.subject:,}, object in {counts.object:,}, both in {counts.both:,} of {many}"]
    if together == "document":
        found.append(f"no {shown.unit} holds both; {counts.documents:,} documents do, in different {shown.unit}s:")
    elif together == "nowhere":
        found.append(f"no {shown.unit} and no document holds both")
    if shown.analyzer and counts.analyzed != counts.both:
        number = "can look for one of them only" if counts.analyzed is None else f"finds both in {counts.analyzed:,}"
        found.append(f"{shown.analyzer} {number}, exact {counts.both:,}")
    return found


def _of_users_index(shown: Shown, many: str) -> list[str]:
    counts = shown.evidence.counts
    found = [
        f"read as {shown.analyzer}'s, which has {shown.fit:.0%} of its terms; its counts can differ from exact ones",
        f"subject in {counts.subject:,}, object in {counts.object:,} of {many}",
    ]
    if counts.analyzed is None:
        return [*found, f"{shown.analyzer} makes nothing of one of the names"]
    exact = "too many to be read" if counts.both is None else f"exact {counts.both:,}"
    return [*found, f"{shown.analyzer} finds both in {counts.analyzed:,}, of which {exact}"]


def _clean(text: str) -> str:
    """Without what would steer the terminal; as long as before."""
    return text.translate(_CONTROLS)


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=not console.is_terminal)
