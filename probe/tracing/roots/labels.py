"""From what is known of every fact and language to its root: where a right answer came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError

#: Every root but the cues', which are ``cue:<name>``.
INDEPENDENT, SHARED, TRANSFERRED = "independent", "shared", "transferred"
UNDECIDED, WRONG, UNSCORED = "undecided", "wrong", "unscored"

#: Why a right answer is undecided.
UNTRACEABLE = "its names cannot be looked for"
NOWHERE = "absent here, and nowhere else both present and right"
ALONE = "present and right here alone"
UNCOMPARED = "neurons were not compared"
TOO_FEW = "too few facts of its relation are right in both languages to compare its neurons with"
UNSILENCED = "its neurons were not silenced"
UNCONTROLLED = "too few other facts of its relation are right here to silence its neurons in"


class Compared(NamedTuple):
    """A language's neurons of every fact beside those of each other language [L, F].

    By overlap: ``p`` is how likely so much is by chance, ``score`` how much it is above chance's mean, and ``pairs``
    from how many pairs of other facts that is known. By the causal check: the same of how much less probable the fact
    gets without them, and from how many controls. NaN where they were not compared. ``none`` and ``few`` say why a fact
    is undecided that was not compared, or with too few.
    """

    p: np.ndarray
    score: np.ndarray
    pairs: np.ndarray
    none: str = TOO_FEW
    few: str = TOO_FEW


class Known(NamedTuple):
    """All that a root is told by; L languages, F facts, C cues.

    right : 1 right, 0 wrong, -1 without an answer, -2 no fact of the language [L, F].
    present : 1 present, 0 absent, -1 not to be looked for [L, F].
    units : how many units hold it [L, F].
    cues : which cues hit [C, L, F], and their names in order.
    overlap : from a language's place to its overlaps; None where neurons were not compared.
    check : the same of what tells shared from independent; None where that is the overlap.
    precision : how sure presence is [L]; rate : how frequent its object is among its relation's facts [L, F].
    """

    right: np.ndarray
    present: np.ndarray
    units: np.ndarray
    cues: np.ndarray
    names: tuple[str, ...]
    overlap: Callable[[int], Compared] | None
    precision: np.ndarray
    rate: np.ndarray
    check: Callable[[int], Compared] | None = None


class Labels(NamedTuple):
    """Roots and what they rest on, [L, F] each: object arrays of text, confidence (NaN: none), source language's place
    (-1: none), and score: that of its neurons, or without neurons its number of units (NaN: none)."""

    root: np.ndarray
    reason: np.ndarray
    confidence: np.ndarray
    source: np.ndarray
    score: np.ndarray


def need_level(alpha: float) -> None:
    """Raises FactrootsError for what is no level."""
    if not 0 < alpha < 1:
        raise FactrootsError(f"alpha lies between 0 and 1, got {alpha:g}")


def label(known: Known, alpha: float = 0.05) -> Labels:
    """Every fact's root in every language.

    Right and absent here: the first cue that hits; else ``transferred``, if the fact is present and right in another
    language, the source being that whose neurons overlap most (or that which has most units). Right and present here
    and elsewhere: ``shared`` where the neurons overlap more than other facts' of the relation do in the same two
    languages (or are needed here more than others are), at level `alpha` after Bonferroni over the languages compared,
    else ``independent``. What cannot be told is ``undecided``. Definitions after Zhao et al. (EACL 2024), who label no
    single fact.
    """
    need_level(alpha)
    shape = known.right.shape
    made = Labels(
        np.full(shape, "", object), np.full(shape, "", object), np.full(shape, np.nan),
        np.full(shape, -1), np.full(shape, np.nan),
    )  # fmt: skip
    made.root[known.right == 0] = WRONG
    made.root[known.right == -1] = UNSCORED
    for lang in range(shape[0]):
        _language(known, lang, alpha, Labels(*(part[lang] for part in made)))
    return made


def _language(known: Known, lang: int, alpha: float, made: Labels) -> None:
    right, present = known.right[lang] == 1, known.present[lang]
    sources = (known.right == 1) & (known.present == 1)
    sources[lang] = False
    _mark(made, right & (present == -1), UNDECIDED, UNTRACEABLE)
    absent = right & (present == 0)
    for hits, name in zip(known.cues[:, lang], known.names, strict=True):
        _mark(made, absent & hits, f"cue:{name}")
        absent &= ~hits
    _mark(made, absent & ~sources.any(axis=0), UNDECIDED, NOWHERE)
    overlap = None if known.overlap is None else known.overlap(lang)
    _transferred(known, lang, absent & sources.any(axis=0), sources, overlap, made)
    here = right & (present == 1)
    _mark(made, here & ~sources.any(axis=0), UNDECIDED, ALONE)
    here &= sources.any(axis=0)
    if overlap is None:
        _mark(made, here, UNDECIDED, UNCOMPARED)
    else:
        _compared(known, lang, here, sources, overlap if known.check is None else known.check(lang), alpha, made)


def _transferred(known: Known, lang: int, facts, sources, overlap: Compared | None, made: Labels) -> None:
    score = known.units.astype(float)
    if overlap is not None:  # those whose neurons were compared go before those that were not
        score = np.where(np.isnan(overlap.score), score - score.max(initial=0) - 2, overlap.score)
    best = np.where(sources, score, -np.inf).argmax(axis=0)
    at = np.flatnonzero(facts)
    _mark(made, facts, TRANSFERRED)
    made.source[at] = best[at]
    made.score[at] = (known.units if overlap is None else overlap.score)[best[at], at]
    made.confidence[at] = known.precision[best[at]] * (1 - known.rate[lang, at])


def _compared(known: Known, lang: int, facts, sources, beside: Compared, alpha: float, made: Labels) -> None:
    p = np.where(sources, beside.p, np.inf)
    p[np.isnan(p)] = np.inf
    number = np.isfinite(p).sum(axis=0)
    best = np.where(p == p.min(axis=0), beside.score, -np.inf).argmax(axis=0)  # of equal p that with more to it
    every = np.arange(p.shape[1])
    least = np.minimum(1.0, np.where(number > 0, p[best, every] * np.maximum(number, 1), 1.0))
    able = (number > 0) & (number / (beside.pairs[best, every] + 1.0) <= alpha)
    shared = facts & able & (least <= alpha)
    alone = facts & able & (least > alpha)
    _mark(made, facts & ~able, UNDECIDED, beside.few)
    _mark(made, facts & (number == 0), UNDECIDED, beside.none)
    _mark(made, shared, SHARED)
    _mark(made, alone, INDEPENDENT)
    both = known.precision[lang] * known.precision[best]
    for chosen, sure in ((shared, 1 - least), (alone, least)):
        made.confidence[chosen] = (sure * both)[chosen]
        made.source[chosen] = best[chosen]
        made.score[chosen] = beside.score[best, every][chosen]


def _mark(made: Labels, facts: np.ndarray, root: str, reason: str = "") -> None:
    made.root[facts] = root
    made.reason[facts] = reason
