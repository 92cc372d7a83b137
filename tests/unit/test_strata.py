"""Strata by hand: their bounds, and what a frequency counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probe.strata import FREQUENCY, PIECES, frequency, stratum


def test_bounds():
    assert stratum(np.array([1, 2, 3, 4, 9]), PIECES).tolist() == ["1", "2", "3", "4+", "4+"]
    expected = ["1", "2-5", "2-5", "6-20", "6-20", "21+", "21+"]
    assert stratum(np.array([1, 2, 5, 6, 20, 21, 500]), FREQUENCY).tolist() == expected


def test_frequency_counts_facts():
    """By relation and language, a fact once whatever number of templates asked for it, of several golds the most."""
    rows = [
        ("it", "P1", "a", (0,)),
        ("it", "P1", "a", (0,)),  # another template
        ("it", "P1", "b", (0,)),
        ("it", "P1", "c", (1,)),
        ("it", "P1", "d", (1, 0)),
        ("it", "P2", "e", (0,)),
        ("ja", "P1", "a", (0,)),
    ]
    frame = pd.DataFrame(rows, columns=["lang", "relation", "item", "golds"])
    assert frequency(frame).tolist() == [3, 3, 3, 2, 3, 1, 1]
