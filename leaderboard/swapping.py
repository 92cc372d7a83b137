"""A test of a paired difference: what it would be if, of any subject, the two models' answers might as well be swapped.

The paired randomisation test (Fisher 1935; Noreen 1989; Yeh 2000, "More accurate tests for the statistical significance
of result differences"; sacreBLEU's paired-ar), by subject. Where each subject is asked once it is McNemar's exact test.
A gate needs it: with few facts that changed, the bootstrap's percentiles say too much. Of 7 facts lost and none gained
they make p = e^-7 = .0009, whereas seven coins fall alike with .0078; and corrections for many groups look just there.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError
from probe.uncertainty import SEED

LEAST, MOST = 10_000, 200_000
_CELLS = 1 << 21  # signs that are held at a time


class Swapped(NamedTuple):
    """Of each group [groups]: how often swapping gives a difference as low as the one there is (`low`), as high
    (`high`), and of at most −`line` (`beyond`); the first two are one-sided p-values, exact but for drawing.

    error : the standard deviation that swapping gives the difference.
    """

    low: np.ndarray
    high: np.ndarray
    beyond: np.ndarray
    error: np.ndarray


def enough(tests: int, alpha: float) -> int:
    """How many swappings to draw so that Holm's correction over so many tests can go below `alpha` by far.

    Raises FactrootsError where no number that can be drawn is enough.
    """
    if 2 * tests > alpha * MOST:
        raise FactrootsError(
            f"{tests:,} tests at alpha {alpha:g}: no p of {MOST:,} draws could be small enough; raise --alpha, or test "
            "fewer groups (without --by)"
        )
    return min(MOST, max(LEAST, math.ceil(20 * tests / alpha)))


def swapped(parts: np.ndarray, draws: int, line: float = 0.0, seed: int = SEED) -> Swapped:
    """`parts` are what each subject adds to each group's difference [subjects, groups].

    All groups have the same swappings.
    """
    parts = parts[(parts != 0).any(axis=1)]  # subjects on which nothing changed add nothing, swapped or not
    observed, rounding = parts.sum(axis=0), 1e-9 * np.abs(parts).sum(axis=0)
    counts = np.zeros((3, parts.shape[1]))
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, _CELLS // max(1, len(parts)))
    for start in range(0, draws, step):
        signs = generator.integers(0, 2, (min(step, draws - start), len(parts)), dtype=np.int8) * 2.0 - 1
        values = signs @ parts
        counts += [
            (values <= observed + rounding).sum(axis=0),
            (values >= observed - rounding).sum(axis=0),
            (values < -line - rounding).sum(axis=0),
        ]
    low, high = (counts[:2] + 1) / (draws + 1)  # the answers as they are count as one swapping
    return Swapped(low, high, counts[2] / draws, np.sqrt((parts**2).sum(axis=0)))
