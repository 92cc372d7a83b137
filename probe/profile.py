"""What a language is like in a run beyond its P@1: one row a language, or a language and a stratum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from probe import calibration, strata, uncertainty
from probe.consistency import answers, by_chance, paraphrases
from probe.estimates import Drawn, Estimate, Part, ratios
from probe.ranked import Ranked


class Paraphrased(NamedTuple):
    """Facts asked in several templates, each mean over facts, then over relations; `one` were asked in one only.

    by_chance : the agreement expected of answers that are given as often, whatever the question.
    """

    lang: str
    facts: int
    one: int
    agree: Estimate
    by_chance: float
    right: Estimate
    accuracy: Estimate


class Bin(NamedTuple):
    """A row of the reliability diagram."""

    n: int
    confidence: float
    accuracy: float


class Sure(NamedTuple):
    """Confidence over `n` answers. Brier score as in Brier (1950), and averaged over candidates as in LM-PUB-QUIZ.

    indifferent : the Brier score of a model that prefers nothing.
    error, by_mass : expected calibration error with bins of one width and of one size; `calibrated` is what the first
        would be if confidence were right. Noise adds to an ECE, in a resample too, so its interval leans upwards.
    bins : the reliability diagram, with bins of one width.
    """

    lang: str
    n: int
    confidence: Estimate
    accuracy: Estimate
    brier: Estimate
    indifferent: float
    brier_by_candidate: Estimate
    error: Estimate
    calibrated: float
    by_mass: Estimate
    bins: list[Bin]


class Stratum(NamedTuple):
    """P@1 over the `n` answers of a stratum; chance is None where the protocol does not define it."""

    lang: str
    by: str
    stratum: str
    n: int
    p1: Estimate
    chance: float | None
    majority: float


def asked_again(ranked: Ranked) -> pd.DataFrame:
    """One row a fact of a relation: its subject, and :class:`probe.consistency.Paraphrases`' columns."""
    frame = ranked.frame.assign(again=ranked.frame.groupby(["item", "template"]).cumcount())
    fact = frame.groupby(["item", "again"], sort=False).ngroup().to_numpy()
    given = answers(ranked.scores)
    found = paraphrases(given, ranked.gold, fact)
    several = (found.templates > 1)[fact]
    chance = by_chance(given[several]) if several.any() else np.nan
    facts = frame.drop_duplicates(["item", "again"])[["subject_uri", "lang", "relation"]]
    return facts.assign(by_chance=chance, **found._asdict())


def sure(ranked: Ranked) -> pd.DataFrame:
    """One row an answer of a relation: its subject, P@1, and :class:`probe.calibration.Confidence`'s columns."""
    frame = ranked.frame[["subject_uri", "lang", "relation", "p1"]]
    return frame.assign(**calibration.confidence(ranked.scores, ranked.gold)._asdict())


def paraphrased(lang: str, frame: pd.DataFrame) -> Paraphrased | None:
    """From all relations' :func:`asked_again`; None where no fact was asked in several templates."""
    several = frame[frame["templates"] > 1].reset_index(drop=True)
    if several.empty:
        return None
    names = ("agree", "by_chance", "right", "accuracy")
    found = ratios(several, {name: Part(several[name].to_numpy(), how="macro") for name in names})
    agree, chance, right, accuracy = (found[name].estimate() for name in names)
    return Paraphrased(lang, len(several), len(frame) - len(several), agree, chance.value, right, accuracy)


def confident(lang: str, frame: pd.DataFrame) -> Sure:
    """From all relations' :func:`sure`."""
    frame = frame.reset_index(drop=True)
    confidence, p1, brier, candidates = (frame[c].to_numpy(float) for c in ("confidence", "p1", "brier", "candidates"))
    parts = {"confidence": confidence, "accuracy": p1, "brier": brier, "by_candidate": brier / candidates}
    found = {name: drawn.estimate() for name, drawn in ratios(frame, {n: Part(v) for n, v in parts.items()}).items()}
    wide, full = calibration.equal_width(confidence), calibration.equal_mass(confidence)
    rows = calibration.reliability(confidence, p1, wide)
    return Sure(
        lang,
        len(frame),
        found["confidence"],
        found["accuracy"],
        found["brier"],
        float(np.mean(1 - 1 / candidates)),
        found["by_candidate"],
        _error(frame, wide),
        calibration.calibrated_error(confidence, wide),
        _error(frame, full),
        [Bin(int(n), float(c), float(a)) for n, c, a in zip(*rows, strict=True)],
    )


def _error(frame: pd.DataFrame, bin_of: np.ndarray) -> Estimate:
    """ECE and its interval; a resample keeps the bins' bounds."""
    tally = uncertainty.tally(frame.assign(relation=bin_of, off=frame["p1"] - frame["confidence"]), "off")
    values = [
        np.abs(sums.hits).sum(axis=-1) / sums.counts.sum(axis=-1)
        for sums in (uncertainty.total(tally), uncertainty.resample(tally))
    ]
    return Drawn(float(values[0]), values[1]).estimate()


def layers(lang: str, frame: pd.DataFrame) -> Iterator[Stratum]:
    """P@1 by the object's length and by its frequency, from a language's judged answers with their majority."""
    by = {
        "tokens": strata.stratum(frame["pieces"].to_numpy(), strata.PIECES),
        "frequency": strata.stratum(strata.frequency(frame), strata.FREQUENCY),
    }
    for name, of in by.items():
        for stratum in strata.PIECES if name == "tokens" else strata.FREQUENCY:
            rows = frame[of == stratum].reset_index(drop=True)
            if rows.empty:
                continue
            p1 = ratios(rows, {"p1": Part(rows["p1"].to_numpy())})["p1"].estimate()
            chance = None if rows["chance"].isna().any() else float(rows["chance"].mean())
            yield Stratum(lang, name, stratum, len(rows), p1, chance, float(rows["majority"].mean()))
