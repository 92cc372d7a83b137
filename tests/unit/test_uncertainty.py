"""Bootstrap intervals and p-values against other people's code, a slow loop, and what is known beforehand."""

from __future__ import annotations

import math
from statistics import mean

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from probe.uncertainty import Tally, interval, p_value, resample, tally, total


def frame_of(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    """Judged answers from (subject, language, relation, hit)."""
    return pd.DataFrame(rows, columns=["subject_uri", "lang", "relation", "p1"])


def single(n: int = 80, seed: int = 1) -> pd.DataFrame:
    """One relation in one language, every subject asked once."""
    hits = np.random.default_rng(seed).random(n) < 0.3
    return frame_of([(f"Q{i}", "it", "P36", float(hit)) for i, hit in enumerate(hits)])


def several(seed: int = 2) -> pd.DataFrame:
    """Two languages, three relations, subjects asked from one to six times; a relation with one subject only."""
    draw = np.random.default_rng(seed)
    rows = [
        (f"Q{i}", lang, relation, float(draw.random() < 0.4))
        for i in range(30)
        for lang in ("it", "ja")
        for relation in ("P19", "P36")
        if draw.random() < 0.6
    ]
    return frame_of([*rows, ("Q0", "ja", "P99", 1.0)])


def drawn(frame: pd.DataFrame, how: str, **more) -> np.ndarray:
    return resample(tally(frame), **more).mean(how)


@pytest.mark.parametrize("how", ["micro", "macro"])
def test_against_scipy(how):
    """Where subjects are asked once in one relation, it is the ordinary percentile bootstrap."""
    frame = single()
    theirs = scipy.stats.bootstrap(
        (frame["p1"],), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(5)
    )
    values = drawn(frame, how, resamples=20_000)
    ours = interval(values)
    assert total(tally(frame)).mean(how) == pytest.approx(frame["p1"].mean())
    assert values.mean() == pytest.approx(theirs.bootstrap_distribution.mean(), abs=0.002)
    assert values.std() == pytest.approx(theirs.standard_error, rel=0.03)
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=1.01 / 80)  # the values are steps of 1/80
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=1.01 / 80)


def slow(frame: pd.DataFrame, how: str, resamples: int, seed: int) -> list[float]:
    """The same draws in plain loops: subjects drawn with all their rows, then means of means."""
    subjects = sorted(set(frame["subject_uri"]))
    rows_of = {s: [r for r in frame.itertuples() if r.subject_uri == s] for s in subjects}
    generator = np.random.Generator(np.random.PCG64(seed))
    values = []
    for _ in range(resamples):
        rows = [row for i in generator.integers(0, len(subjects), size=len(subjects)) for row in rows_of[subjects[i]]]
        values.append(mean(r.p1 for r in rows) if how == "micro" else macro(rows))
    return values


def macro(rows: list) -> float:
    """Over the facts of a relation, then over relations, then over languages."""
    by_lang = []
    for lang in sorted({r.lang for r in rows}):
        names = sorted({r.relation for r in rows if r.lang == lang})
        by_lang.append(mean(mean(r.p1 for r in rows if (r.lang, r.relation) == (lang, name)) for name in names))
    return mean(by_lang)


@pytest.mark.parametrize("how", ["micro", "macro"])
def test_against_plain_loops(how):
    """Resampling sums gives what resampling rows gives, draw by draw."""
    frame = several()
    np.testing.assert_allclose(drawn(frame, how, resamples=120, seed=7), slow(frame, how, 120, 7), rtol=1e-14)
    assert total(tally(frame)).mean("macro") == pytest.approx(macro(list(frame.itertuples())), rel=1e-14)


def test_macro_by_hand():
    """Three facts of one relation weigh as much as one of another, and each language as much as the other."""
    rows = [
        ("Q1", "it", "A", 1),
        ("Q2", "it", "A", 0),
        ("Q3", "it", "A", 0),
        ("Q4", "it", "B", 1),
        ("Q1", "ja", "A", 0),
    ]
    sums = total(tally(frame_of(rows)))
    assert sums.mean("macro") == pytest.approx(((1 / 3 + 1) / 2 + 0) / 2)
    assert sums.mean("micro") == pytest.approx(2 / 5)


def test_seeded():
    """One seed gives one interval to the last bit; another gives another."""
    frame = several()
    assert np.array_equal(drawn(frame, "macro"), drawn(frame, "macro"), equal_nan=True)
    assert interval(drawn(frame, "macro")) != interval(drawn(frame, "macro", seed=1))


def test_row_order_does_not_matter():
    """The same answers in another order have the same interval."""
    frame = several()
    turned = frame.sample(frac=1, random_state=3)
    np.testing.assert_allclose(drawn(frame, "macro"), drawn(turned, "macro"), rtol=1e-14)


def test_facts_of_a_subject_stand_or_fall_together():
    """Ten facts that go with their subject carry one subject's worth of evidence: the interval is sqrt(10) as wide."""
    hits = [i % 3 == 0 for i in range(60)]
    clustered = frame_of([(f"Q{i}", "it", "P36", float(hit)) for i, hit in enumerate(hits) for _ in range(10)])
    alone = clustered.assign(subject_uri=[f"Q{i}" for i in range(600)])
    widths = [np.ptp(interval(drawn(frame, "micro", resamples=4000))) for frame in (clustered, alone)]
    assert widths[0] / widths[1] == pytest.approx(math.sqrt(10), rel=0.15)


def test_coverage():
    """About 95 of 100 intervals hold the truth."""
    held = [
        low <= 0.3 <= high for low, high in (interval(drawn(single(60, s), "micro", resamples=300)) for s in range(200))
    ]
    assert 0.89 <= mean(held) <= 0.99


def test_nothing_is_invented():
    """A value that is not defined is refused, not left out."""
    with pytest.raises(ValueError, match="1 undefined"):
        tally(frame_of([("Q1", "it", "P36", 1.0), ("Q2", "it", "P36", math.nan)]))


def test_a_run_does_not_differ_from_itself():
    """Null control: no difference, p = 1."""
    hits = tally(several())
    nothing = resample(Tally(hits.hits - hits.hits, hits.counts, hits.langs)).mean("macro")
    assert p_value(nothing) == 1.0
    assert interval(nothing) == (0, 0)


def test_p_values_of_no_difference_are_even():
    """Null control: between two draws of one chance, p below 5 % is about as rare as it says."""
    draw = np.random.default_rng(0)
    small = 0
    for _ in range(200):
        frame = single().assign(p1=(draw.random(80) < 0.4).astype(float) - (draw.random(80) < 0.4))
        small += p_value(drawn(frame, "micro", resamples=200)) < 0.05
    assert small <= 22  # 95 % of binomial(200, 0.05) lies below 16


def test_a_difference_is_seen():
    """Identity control: always right against always wrong has the smallest p that so many resamples can give."""
    assert p_value(drawn(single().assign(p1=1.0), "micro", resamples=999)) == pytest.approx(2 / 1000)
