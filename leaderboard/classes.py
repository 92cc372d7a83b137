"""A board's submissions by what their numbers mean: only those of one class are ever ranked together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

from data_builders.factset import FactSet
from leaderboard.comparable import comparable, differing, parts
from leaderboard.entry import Entry
from leaderboard.submission import OURS, Submission
from probe.protocols import Protocol


class Lacking(NamedTuple):
    """An entry without a rank, and what it lacks of what others of its table have."""

    entry: Entry
    lacks: list[str]


class Class(NamedTuple):
    """Entries whose numbers mean the same, in order of names.

    entries : those that have answers. lacking : those that cannot be ranked, among them ones that were asked in fewer
    languages, and so are of another class, but otherwise alike.
    """

    entries: list[Entry]
    lacking: list[Lacking]

    @property
    def first(self) -> Submission:
        """A submission that stands for all."""
        return [*self.entries, *(one.entry for one in self.lacking)][0].submission

    @property
    def name(self) -> str:
        """The class in one text (:func:`leaderboard.comparable.comparable`)."""
        return comparable(self.first)

    @property
    def title(self) -> str:
        """The facts and the protocol."""
        return f"{parts(self.first).get('facts') or self.first.origin}, {self.first.result.protocol}"

    @property
    def langs(self) -> list[str]:
        """The languages that were asked."""
        return [language.lang for language in self.first.result.languages]

    @property
    def how(self) -> str:
        """The protocol's aggregation."""
        return Protocol.parse(self.first.result.protocol).aggregate

    def differs(self, other: Class) -> list[str]:
        """The parts of the signature in which its numbers mean something else than the other's."""
        return differing(other.first, self.first)


def classes(entries: Iterable[Entry]) -> list[Class]:
    """The classes of a board, those with the most entries first."""
    held: dict[str, list[Entry]] = {}
    for entry in entries:
        held.setdefault(comparable(entry.submission), []).append(entry)
    found = [Class(*_split(own)) for own in held.values()]
    kin: dict[str, list[Class]] = {}
    for one in found:
        kin.setdefault(_kin(one.first), []).append(one)
    for own in kin.values():
        for one, other in permutations(own, 2):
            one.lacking.extend(_fewer(other, one))
    return sorted(found, key=lambda one: (-len(one.entries), one.name))


def labels(entries: Sequence[Entry]) -> list[str]:
    """What entries are called in a table: the model, and where two are of one name, the rest of the entry's name."""
    models = [entry.submission.model for entry in entries]
    return [
        model if models.count(model) == 1 else f"{model} ({entry.name.partition('/')[2]})"
        for model, entry in zip(models, entries, strict=True)
    ]


def _split(entries: list[Entry]) -> tuple[list[Entry], list[Lacking]]:
    most = max(entry.submission.n or 0 for entry in entries)
    whole, lacking = [], []
    for entry in entries:
        if entry.submission.answers is None:
            lacking.append(Lacking(entry, [f"answers: {entry.submission.origin} tells a number only"]))
        elif (entry.submission.n or 0) < most:
            lacking.append(Lacking(entry, [f"facts: {most - (entry.submission.n or 0):,} of {most:,}"]))
        else:
            whole.append(entry)
    return whole, lacking


def _kin(submission: Submission) -> str:
    """What decides meaning but for the languages, which the hash of the facts covers too."""
    if submission.origin != OURS:
        return comparable(submission)
    facts = FactSet.parse(str(submission.result.data["spec"]))
    return str(parts(submission) | {"facts": replace(facts, langs=()).portable, "data": ""})


def _fewer(other: Class, one: Class) -> Iterator[Lacking]:
    """Entries of `other` that differ from those of `one` in nothing but in having been asked in fewer languages."""
    own, less = one.langs, other.langs
    if one.entries and set(less) < set(own):
        missing = ", ".join(lang for lang in own if lang not in less)
        yield from (Lacking(entry, [f"languages: {missing}"]) for entry in other.entries)
