"""Ratios of sums and their intervals against plain loops over the same draws."""

from __future__ import annotations

import math
from statistics import mean

import numpy as np
import pandas as pd
import pytest

from probe.estimates import Drawn, Part, ratios
from probe.uncertainty import RESAMPLES, SEED


def sample() -> pd.DataFrame:
    """Subjects asked from none to six times, two relations, two measures of which one is not always defined."""
    draw = np.random.default_rng(0)
    rows = [
        (f"Q{i}", "it", relation) for i in range(25) for relation in ("P1", "P2") for _ in range(draw.integers(0, 4))
    ]
    frame = pd.DataFrame(rows, columns=["subject_uri", "lang", "relation"])
    whole, part = draw.random((2, len(rows)))
    return frame.assign(above=part * whole, below=whole, some=np.where(draw.random(len(rows)) < 0.3, math.nan, part))


def by_loops(rows: list, how: str, above: str, below: str | None) -> float:
    rows = [row for row in rows if not math.isnan(getattr(row, above))]
    groups = [rows] if how == "micro" else [[r for r in rows if r.relation == name] for name in ("P1", "P2")]
    return mean(
        sum(getattr(r, above) for r in group) / (sum(getattr(r, below) for r in group) if below else len(group))
        for group in groups
        if group
    )


PARTS = [("micro", "above", "below"), ("macro", "above", "below"), ("micro", "some", None), ("macro", "some", None)]


def test_against_plain_loops():
    """A ratio, a mean, and a mean of what is defined: of the sample and, draw by draw, of each resample."""
    frame = sample()
    parts = {
        f"{how} {above}": Part(frame[above].to_numpy(), frame[below].to_numpy() if below else 1.0, how)
        for how, above, below in PARTS
    }
    found = ratios(frame, parts)
    rows = list(frame.itertuples())
    subjects = sorted(set(frame["subject_uri"]))
    own = {s: [r for r in rows if r.subject_uri == s] for s in subjects}
    generator = np.random.Generator(np.random.PCG64(SEED))
    drawn = [generator.integers(0, len(subjects), size=len(subjects)) for _ in range(40)]
    for how, above, below in PARTS:
        got = found[f"{how} {above}"]
        assert got.value == pytest.approx(by_loops(rows, how, above, below))
        assert got.resamples.shape == (RESAMPLES,)
        expected = [by_loops([r for i in draw for r in own[subjects[i]]], how, above, below) for draw in drawn]
        assert got.resamples[:40] == pytest.approx(expected)
        assert got.estimate().low < got.value < got.estimate().high


def test_what_is_not_defined_is_none():
    frame = sample()
    nothing = np.full(len(frame), math.nan)
    found = ratios(frame, {"nothing": Part(nothing), "of nothing": Part(np.zeros(len(frame)), np.zeros(len(frame)))})
    assert [drawn.estimate() for drawn in found.values()] == [None, None]
    assert Drawn(0.5, np.array([0.5, math.nan])).estimate() == (0.5, 0.5, 0.5)
