"""Corrected p-values by hand, and what they promise where nothing is to be found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probe.corrections import benjamini_hochberg, holm

BOTH = [holm, benjamini_hochberg]


def test_holm_by_hand():
    """4 · .01, then 3 · .02, then the same again because 2 · .03 is no more, and at last at most 1."""
    assert holm([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])
    assert holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])


def test_benjamini_hochberg_by_hand():
    """4/1 · .01, 4/2 · .02, 4/3 · .03 are all .04."""
    assert benjamini_hochberg([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.04, 0.04, 0.9, 0.04])


@pytest.mark.parametrize("correct", BOTH)
def test_edges(correct):
    assert correct([]) == []
    assert correct([0.03]) == [0.03]
    assert correct([1.0, 1.0]) == [1.0, 1.0]


@pytest.mark.parametrize("correct", BOTH)
@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_what_is_no_p_value(correct, bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        correct([0.5, bad])


@pytest.mark.parametrize("correct", BOTH)
def test_false_findings_are_rare(correct):
    """Null control: twenty true null hypotheses at a time, about 5 of 100 families with a finding, not 64."""
    draw = np.random.default_rng(4)
    families = draw.random((2000, 20))
    found = np.mean([min(correct(family)) <= 0.05 for family in families])
    assert abs(found - (1 - (1 - 0.05 / 20) ** 20)) < 3 * math.sqrt(0.05 * 0.95 / 2000)
    assert np.mean(families.min(axis=1) <= 0.05) > 0.6
