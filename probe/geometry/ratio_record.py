"""``ratio.json``: one schema that both writes and validates, refusing what it does not know."""

from __future__ import annotations

from typing import Literal

from data_builders.schema import Count, Record, Sha256, Share
from probe.variants.record import CI, Interval

SCHEMA_VERSION = 1


class Plain(Record):
    """A language's text without any condition: `count` tokens asked in `sequences`, those left out excepted."""

    lang: str
    sequences: Count
    left_out: Count
    count: Count
    perplexity: Interval
    accuracy: Interval


class Ratio(Record):
    """A condition at a layer on a language's text, against the plain pass over the same sequences and masks.

    ratio : perplexity over perplexity; its log is the difference of mean log-probabilities. accuracy : of the most
    probable tokens; gained : minus the plain pass'. in_own, in_other : the share of what is said that are tokens of
    `lang` alone and of `other` alone. left_out : sequences in which some logit is not finite, here or plainly; they are
    in no number. None stands for none to average.
    """

    lang: str
    other: str | None
    condition: str
    layer: Count
    sequences: Count
    left_out: Count
    ratio: Interval | None
    accuracy: Interval | None
    gained: Interval | None
    in_own: Share | None
    in_other: Share | None


class Mean(Record):
    """A condition at a layer over all its `pairs` of a language and another (or languages): the geometric mean of their
    ratios, which is the exponential of the mean log ratio, and the arithmetic mean."""

    condition: str
    layer: Count
    pairs: Count
    geometric: Interval
    arithmetic: Interval
    gained: Interval


class Contrast(Record):
    """A condition's mean ratio over that of another, over the pairs that both have, paired by sequence.

    p : two-sided, of a log that is not 0; p_holm : corrected over the layers of the contrast.
    """

    condition: str
    against: str
    layer: Count
    pairs: Count
    quotient: Interval
    p: Share
    p_holm: Share


class Speech(Record):
    """What a condition's shares of A's and B's tokens are to be read beside: those of A's own text, of B's, and of what
    is said plainly of A's."""

    lang: str
    other: str
    plain_own: Share | None
    plain_other: Share | None
    text_own: Share
    text_other: Share
    other_text_own: Share
    other_text_other: Share


class Broken(Record):
    """Logits that are not finite: how many places, and the first of them. A layer of None is the plain pass."""

    lang: str
    other: str | None
    condition: str
    layer: Count | None
    places: Count
    sequence: Count
    place: Count


class FactsRow(Record):
    """P@1 of a language's facts with and without a condition at a layer, over `n` that were answered both times.

    left_out : answered one time of the two. p_holm : corrected for all rows of the condition.
    """

    lang: str
    other: str | None
    condition: str
    layer: Count
    n: Count
    left_out: Count
    plain: Interval
    under: Interval
    difference: Interval
    p: Share
    p_holm: Share


class Facts(Record):
    """What was asked: the fact set, the protocol, and the rows."""

    facts: str
    protocol: str
    rows: list[FactsRow]


class Ratios(Record):
    """All of a sweep. fits : the hash of ``fits.json``. ``facts`` is None where none were asked."""

    schema_version: Literal[1] = SCHEMA_VERSION
    signature: str
    model: str
    fits: Sha256
    text: str
    measure: str
    variance: Share
    seed: int
    langs: list[str]
    layers: list[int]
    masks: dict[str, Sha256]
    plain: list[Plain]
    ratios: list[Ratio]
    means: list[Mean]
    contrasts: list[Contrast]
    speech: list[Speech]
    broken: list[Broken]
    facts: Facts | None
    ci: CI
    code: dict[str, str | bool | None]
    packages: dict[str, str]
