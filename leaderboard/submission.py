"""A submission: a result with what a board needs beside it; one schema that both writes and validates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from data_builders.schema import Count, Record, Sha256, Share
from probe.results import Result

SCHEMA_VERSION = 1
#: Where a result of our own comes from; others bear the name of their converter.
OURS = "factroots"

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Line = Annotated[str, Field(min_length=1)]


class ToldLanguage(Record):
    """What another tool says of one language."""

    lang: Line
    value: Share
    n: Count | None


class Told(Record):
    """A number of another tool without the answers that it was made of: it can be shown, and not derived again.

    The fields that a :class:`~probe.results.Result` has too mean the same; None is what the tool does not say.
    """

    schema_version: Literal[1] = 1
    signature: Line
    metric: Line
    value: Share
    stderr: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    n_scored: Count | None
    protocol: Line
    languages: list[ToldLanguage]
    model: dict[str, str | int | None]
    data: dict[str, str | int | None]
    code: dict[str, str | bool | None]


def _kind(value: Any) -> str:
    """Which of the two a result is: P@1 comes with answers, all else is told."""
    metric = value.get("metric", "P@1") if isinstance(value, dict) else getattr(value, "metric", "P@1")
    return "derived" if metric == "P@1" else "told"


class Answers(Record):
    """The per-item file beside the record (:mod:`leaderboard.answers`)."""

    sha256: Sha256
    rows: Annotated[int, Field(gt=0)]


class Variant(Record):
    """The base's name, as in its signature, and how the variant was made; None is not known."""

    base: Line
    method: Line | None


class Submission(Record):
    """A result (:class:`Result`, or :class:`Told` of another tool) as a board keeps it.

    n : how many facts were asked, scored or not; None where another tool does not say.
    answers : of the per-item file; None of a result that is only told.
    origin : ``factroots``, or the converter that the result came through.
    unverified : what cannot be checked or derived again from what is here, a line each; of our own at most ``roots``.
    parameters, seconds, started, command : of the model and of the run, where known.
    roots : the shares of right answers by their root, by language ("" is all), where they were traced.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    result: Annotated[
        Annotated[Result, Tag("derived")] | Annotated[Told, Tag("told")],
        Discriminator(_kind),
    ]
    n: Count | None
    answers: Answers | None
    origin: Line
    unverified: list[Line]
    command: Line | None = None
    started: Line | None = None
    seconds: Seconds | None = None
    parameters: Annotated[int, Field(gt=0, lt=2**53)] | None = None
    variant: Variant | None = None
    roots: dict[str, dict[str, Share]] | None = None
    note: str = ""

    @property
    def model(self) -> str:
        """The model's name, variants and all, as the signature has it."""
        return part(self.result.signature, "model") or str(self.result.model.get("spec") or "?")


def part(signature: str, key: str) -> str | None:
    """A part of a signature; the last that is called so, for a fact set's or a protocol's own text may hold a "|"."""
    _, found, rest = f"|{signature}".rpartition(f"|{key}:")
    return rest.partition("|")[0] if found else None
