"""Confidence and calibration by hand, on models that are sure, indifferent or calibrated, and with scores far down."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probe.calibration import (
    calibrated_error,
    calibration_error,
    confidence,
    equal_mass,
    equal_width,
    reliability,
)


def first(n: int, c: int) -> np.ndarray:
    """The first of c candidates is right."""
    return np.tile(np.arange(c) == 0, (n, 1))


def test_by_hand():
    """Odds of 3 to 1 for the right one: (1 - 3/4)² + (1/4)²."""
    found = confidence(np.array([[math.log(3), 0.0]]), first(1, 2))
    assert found.confidence == pytest.approx([0.75])
    assert found.brier == pytest.approx([2 / 16])


def test_sure_and_indifferent():
    """Sure and right 0, sure and wrong 2, no preference among c: 1 - 1/c."""
    scores = np.array([[0.0, -1e4, -1e4, -1e4], [-1e4, 0.0, -1e4, -1e4], [-3.0, -3.0, -3.0, -3.0]])
    found = confidence(scores, first(3, 4))
    assert found.confidence == pytest.approx([1, 1, 0.25])
    assert found.brier == pytest.approx([0, 2, 0.75])
    assert found.candidates.tolist() == [4, 4, 4]


def test_only_differences_of_scores_matter():
    """Scores of -10,000, whose exponentials are 0, are as good as any."""
    scores = np.random.default_rng(0).normal(size=(5, 7))
    here, there = confidence(scores, first(5, 7)), confidence(scores - 1e4, first(5, 7))
    assert here.confidence == pytest.approx(there.confidence, abs=1e-9)
    assert here.brier == pytest.approx(there.brier, abs=1e-9)


def test_what_is_no_candidate_takes_no_part():
    scores = np.random.default_rng(0).normal(size=(5, 4))
    padded = np.insert(scores, 2, np.nan, axis=1)
    for one, other in zip(confidence(scores, first(5, 4)), confidence(padded, first(5, 5)), strict=True):
        assert one.tolist() == other.tolist()


def test_several_right_ones_are_one():
    """Right candidates of 2/6 and 1/6 are one of 3/6; the wrong ones keep 2/6 and 1/6."""
    found = confidence(np.log([[2.0, 1.0, 2.0, 1.0]]), np.array([[True, True, False, False]]))
    assert found.brier == pytest.approx([(3 / 6) ** 2 + (2 / 6) ** 2 + (1 / 6) ** 2])
    assert found.candidates.tolist() == [3]
    assert found.confidence == pytest.approx([2 / 6])


def test_bins_by_hand():
    """Two of .9 of which one is right, one of .2 that is wrong: (2 · .4 + 1 · .2) / 3."""
    sure, right = np.array([0.9, 0.9, 0.2]), np.array([1.0, 0.0, 0.0])
    rows = reliability(sure, right, equal_width(sure))
    assert rows.n.tolist() == [1, 2]
    assert rows.confidence == pytest.approx([0.2, 0.9])
    assert rows.accuracy == pytest.approx([0, 0.5])
    assert calibration_error(rows) == pytest.approx(1 / 3)


@pytest.mark.parametrize("cut", [equal_width, equal_mass])
def test_bounds(cut):
    """Every confidence has a bin: 0, 1, those on a bound, and when all are the same."""
    for sure in (np.linspace(0, 1, 11), np.array([0.0, 1.0]), np.full(5, 0.3)):
        assert reliability(sure, sure, cut(sure)).n.sum() == len(sure)
        assert calibration_error(reliability(sure, sure, cut(sure))) == pytest.approx(0)


def test_equal_mass_is_equal_and_keeps_the_tied_together():
    sure = np.random.default_rng(0).random(1000)
    assert reliability(sure, sure, equal_mass(sure)).n.tolist() == [100] * 10
    tied = equal_mass(np.repeat([0.1, 0.2, 0.3], [500, 2, 498]))
    assert [len(set(part)) for part in np.split(tied, [500, 502])] == [1, 1, 1]


def test_sure_and_never_right():
    assert calibration_error(reliability(np.ones(9), np.zeros(9), equal_width(np.ones(9)))) == 1


@pytest.mark.parametrize("cut", [equal_width, equal_mass])
def test_a_calibrated_model(cut):
    """Null control: over many samples its ECE is what calibrated_error says, which is not 0, and shrinks with n."""
    draw = np.random.default_rng(3)
    expected = {}
    for n in (200, 3200):
        sure = draw.beta(1, 2, size=n)
        bins = cut(sure)
        found = [calibration_error(reliability(sure, (draw.random(n) < sure) * 1.0, bins)) for _ in range(300)]
        expected[n] = calibrated_error(sure, bins)
        assert abs(np.mean(found) - expected[n]) < 4 * np.std(found) * math.sqrt(1 / 300 + 1 / 1000)
    assert expected[200] / expected[3200] == pytest.approx(4, rel=0.15)  # as 1 / sqrt(n)
    assert expected[200] > 0.03
