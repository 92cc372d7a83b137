"""Consistency, confidence and corrections against other tools, published examples and the published procedures.

The loops here follow what the authors' scripts do, one question and one set at a time, and share nothing with ours.
"""

from __future__ import annotations

import math
from itertools import combinations
from statistics import mean

import numpy as np
import pytest
import scipy.stats

from probe.calibration import (
    calibration_error,
    confidence,
    equal_mass,
    equal_width,
    reliability,
)
from probe.consistency import answers, by_chance, paraphrases
from probe.corrections import benjamini_hochberg, holm
from probe.overlap import known
from probe.rankc import rankc


def published_rankc(rankings: list[tuple[list[str], list[str]]], how: str) -> float:
    """Betswish/Cross-Lingual-Consistency, 1_easyrun/RankC.py: sets of the first j, question by question."""
    total = 0.0
    for one, other in rankings:
        left = [len(one) - j for j in range(len(one))]
        raw = {"softmax": [math.exp(x) for x in left], "linear": left, "square": [x * x for x in left]}[how]
        for j in range(1, len(one) + 1):
            total += raw[j - 1] / sum(raw) * len(set(one[:j]) & set(other[:j])) / j
    return total / len(rankings)


@pytest.mark.parametrize("how", ["softmax", "linear", "square"])
def test_rankc(how):
    """Questions with two to forty candidates; ours sees them as columns of one table, theirs as lists of names."""
    draw = np.random.default_rng(0)
    tables, rankings = np.full((2, 60, 40), np.nan), []
    for i in range(60):
        names = draw.choice(40, size=draw.integers(2, 41), replace=False)
        common = draw.normal(size=len(names))
        for table in tables:
            table[i, names] = common + 0.7 * draw.normal(size=len(names))
        rankings.append(tuple(sorted(map(str, names), key=lambda c, t=t: -t[i, int(c)]) for t in tables))
    found = rankc(*tables, how)
    assert found.value.mean() == pytest.approx(published_rankc(rankings, how), abs=1e-12)
    assert 0.2 < found.value.mean() < 0.9


def test_coverlap():
    """1_easyrun/COverlap.py: a question counts where either is right, and is consistent where both are."""
    a, b = np.random.default_rng(1).random((2, 400)) < 0.4
    consistent = right = 0
    for one, other in zip(a, b, strict=True):
        consistent += bool(one and other)
        right += bool(one or other)
    found = known(a.astype(float), b.astype(float))
    assert found.both.sum() / found.either.sum() == pytest.approx(consistent / right)


def test_paraphrases():
    """coastalcph/mpararel, run_evaluation.py: agreeing pairs of templates over n(n - 1)/2, then a mean over tuples."""
    draw = np.random.default_rng(2)
    said = {fact: [int(draw.choice(4, p=[0.4, 0.3, 0.2, 0.1])) for _ in range(2 + fact % 4)] for fact in range(50)}
    right = {fact: fact % 4 for fact in said}
    agree, both = [], []
    for fact, own in said.items():
        pairs = len(own) * (len(own) - 1) / 2
        agree.append(sum(x == y for x, y in combinations(own, 2)) / pairs)
        both.append(sum(x == y == right[fact] for x, y in combinations(own, 2)) / pairs)
    fact = np.array([fact for fact, own in said.items() for _ in own])
    scores = np.eye(4)[[answer for own in said.values() for answer in own]]
    found = paraphrases(answers(scores), np.eye(4, dtype=bool)[[right[f] for f in fact]], fact)
    assert found.agree == pytest.approx(agree)
    assert found.right == pytest.approx(both)
    assert found.accuracy == pytest.approx([mean(x == right[fact] for x in own) for fact, own in said.items()])


def test_fleiss():
    """The worked example of Fleiss' kappa: ten subjects, fourteen raters, five categories; .378, .213 and .210."""
    table = """0 0 0 0 14|0 2 6 4 2|0 0 3 5 6|0 3 9 2 0|2 2 8 1 1|7 7 0 0 0|3 2 6 3 0|2 5 3 2 2|6 5 2 1 0|0 2 2 3 7"""
    counts = [[int(n) for n in row.split()] for row in table.split("|")]
    chosen = [category for row in counts for category, n in enumerate(row) for _ in range(n)]
    given = answers(np.eye(5)[chosen])
    agree = paraphrases(given, np.ones((140, 5), bool), np.repeat(np.arange(10), 14)).agree.mean()
    assert agree == pytest.approx(0.378, abs=5e-4)
    assert by_chance(given) == pytest.approx(0.213, abs=5e-4)
    assert (agree - by_chance(given)) / (1 - by_chance(given)) == pytest.approx(0.210, abs=5e-4)


def instances(n: int = 60, c: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Scores [n, c] and the right one [n], which scores have an inkling of."""
    draw = np.random.default_rng(3)
    right = np.concatenate([np.arange(c), draw.integers(0, c, size=n - c)])
    return 2 * draw.normal(size=(n, c)) + 2 * np.eye(c)[right], right


@pytest.mark.parametrize("name", ["ConfidenceScore", "BrierScore"])
def test_lm_pub_quiz(name):
    """LM-PUB-QUIZ 0.3.3: the softmax at the answer, and its Brier score, which is a mean over candidates too."""
    theirs = getattr(pytest.importorskip("lm_pub_quiz.metrics.confidence"), name)()
    theirs.reset()
    scores, right = instances()
    for row, answer in zip(scores, right, strict=True):
        theirs.add_instance({"pll_scores": row.tolist(), "answer_idx": int(answer)})
    found = confidence(scores, np.eye(7, dtype=bool)[right])
    if name == "BrierScore":
        assert (found.brier / found.candidates).mean() == pytest.approx(theirs.compute()["brier_score"], abs=1e-9)
    else:
        assert found.confidence.mean() == pytest.approx(theirs.compute()["confidence_score"]["all"], abs=1e-9)


def test_brier_by_loops():
    scores, right = instances()
    expected = []
    for row, answer in zip(scores.tolist(), right, strict=True):
        total = sum(map(math.exp, row))
        expected.append(sum((math.exp(s) / total - (i == answer)) ** 2 for i, s in enumerate(row)))
    assert confidence(scores, np.eye(7, dtype=bool)[right]).brier == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("cut", "strategy"), [(equal_width, "uniform"), (equal_mass, "quantile")])
def test_reliability(cut, strategy):
    """scikit-learn's calibration_curve, whose bins these are."""
    curve = pytest.importorskip("sklearn.calibration").calibration_curve
    draw = np.random.default_rng(4)
    sure = np.round(draw.random(500), 2)  # some on a bound, many tied
    right = (draw.random(500) < sure**2).astype(int)
    accuracy, middle = curve(right, sure, n_bins=10, strategy=strategy)
    rows = reliability(sure, right, cut(sure))
    assert rows.accuracy == pytest.approx(accuracy)
    assert rows.confidence == pytest.approx(middle)
    assert rows.n.sum() == 500


def test_calibration_error_by_loops():
    """Guo et al. (2017), equations 2 and 3: bins (0, .1], (.1, .2], .."""
    draw = np.random.default_rng(5)
    sure = draw.random(300)
    right = (draw.random(300) < sure**2).astype(float)
    expected = 0.0
    for b in range(10):
        held = [(s, r) for s, r in zip(sure, right, strict=True) if b / 10 < s <= (b + 1) / 10]
        if held:
            expected += len(held) / 300 * abs(mean(r for _, r in held) - mean(s for s, _ in held))
    assert calibration_error(reliability(sure, right, equal_width(sure))) == pytest.approx(expected, abs=1e-12)


def test_benjamini_hochberg():
    for n in (1, 2, 30):
        values = np.random.default_rng(n).random(n) ** 3
        expected = scipy.stats.false_discovery_control(values, method="bh")
        assert benjamini_hochberg(values) == pytest.approx(expected, abs=1e-15)


def test_holm():
    """By its definition (Holm 1979): reject the smallest while it is at most level / (those left), then stop."""
    values = np.random.default_rng(6).random(12) ** 4
    corrected = holm(values)
    for level in np.linspace(0.001, 0.999, 500):
        rejected, left = set(), sorted(range(12), key=lambda i: values[i])
        while left and values[left[0]] <= level / len(left):
            rejected.add(left.pop(0))
        assert {i for i, p in enumerate(corrected) if p <= level} == rejected
