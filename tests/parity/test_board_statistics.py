"""A board's statistics against scipy, statsmodels and plain loops, and by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from rank_fixtures import answers, judged, questions

from leaderboard.drawn import draw
from leaderboard.matrix import matrix
from leaderboard.paired import differences, pair
from leaderboard.power import smallest_drop, step
from leaderboard.ranks import ranks
from leaderboard.swapping import swapped
from leaderboard.told_apart import told_apart
from leaderboard.weights import of_sample
from probe.corrections import holm

ONE = {"langs": ("it",), "relations": {"P1": 1}}  # every subject is asked once


def two(seed: int, subjects: int = 200, change: float = 0.15, **how) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw_, asked = np.random.default_rng(seed), questions(subjects, **how)
    a = answers(draw_, asked, 0.5)
    return a, judged(asked, np.where(draw_.random(len(asked)) < change, 1 - a["p1"], a["p1"]))


@pytest.mark.parametrize("seed", range(4))
def test_where_subjects_are_asked_once_it_is_mcnemar(seed):
    """Swapping against the exact binomial test of the facts that changed, one-sided and two-sided."""
    contingency = pytest.importorskip("statsmodels.stats.contingency_tables")
    [found] = differences(pair(*two(seed, **ONE)), "micro", (), 100_000)
    gained, lost = (found.counts[kind] for kind in ("gained", "lost"))
    for p, side in ((found.low, "less"), (found.high, "greater")):
        exact = scipy.stats.binomtest(gained, gained + lost, alternative=side).pvalue
        assert p == pytest.approx(exact, abs=4 * np.sqrt(exact / 100_000) + 1e-5)
    table = [[found.counts["kept"], lost], [gained, found.counts["wrong"]]]
    assert found.p == pytest.approx(contingency.mcnemar(table, exact=True).pvalue, abs=0.01)


def test_swapping_by_plain_loops():
    """Every sign of a few subjects, one after the other, in several relations and languages."""
    a, b = two(5, subjects=9, change=0.4)
    [found] = differences(pair(a, b), "macro", (), 100_000)
    weight = pair(a, b).items.assign(weight=of_sample(pair(a, b).items, "macro"))
    parts = ((weight["b"] - weight["a"]) * weight["weight"]).groupby(weight["subject_uri"]).sum().to_numpy()
    values = [sum(parts * (1 - 2 * (n >> np.arange(9) & 1))) for n in range(2**9)]
    assert found.low == pytest.approx(np.mean(np.array(values) <= parts.sum() + 1e-12), abs=0.006)
    assert found.high == pytest.approx(np.mean(np.array(values) >= parts.sum() - 1e-12), abs=0.006)
    assert found.error == pytest.approx(np.std(values), rel=1e-9)
    line = -np.quantile(values, 0.3)
    assert swapped(parts[:, None], 100_000, line).beyond[0] == pytest.approx(
        np.mean(np.array(values) < -line - 1e-12), abs=0.006
    )


def test_nothing_differs_from_itself():
    """Null control: p is 1 and no noise is there."""
    a, _ = two(0, 30)
    for found in differences(pair(a, a), "macro", ("lang", "relation"), 1000, line=0.01):
        assert (found.difference, found.low, found.high, found.beyond, found.error) == ((0, 0, 0), 1, 1, 0, 0)


def test_a_paired_interval_is_scipys():
    a, b = two(1, **ONE)
    [found] = differences(pair(a, b), "micro", (), 1000)
    theirs = scipy.stats.bootstrap(
        (b["p1"] - a["p1"],), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    )
    for ours, other in zip(found.difference[1:], theirs.confidence_interval, strict=True):
        assert ours == pytest.approx(other, abs=2.01 / 200)
    drawn = draw(matrix([a, b]), "micro", 20_000)
    spread = drawn.less(1, np.array([0]))[0, 1:].std()
    assert spread == pytest.approx(theirs.standard_error, rel=0.03)


def test_holm_is_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(0).random(40) ** 3
    np.testing.assert_allclose(holm(p), multitest.multipletests(p, method="holm")[1], rtol=1e-12)


def test_intervals_and_ranks_hold_together():
    """Of boards of six models whose true scores are known, about 95 of 100 hold all differences, and all ranks."""
    true = np.array([0.3, 0.4, 0.45, 0.5, 0.5, 0.7])
    held = placed = 0
    draw_, asked = np.random.default_rng(0), questions(150, langs=("it", "ja"), relations={"P1": 1})
    for _ in range(100):
        lined = matrix([answers(draw_, asked, skill, together=0.3) for skill in true])
        found = told_apart(draw(lined, "micro", 250))
        skill = true[np.argsort(lined.row)]
        gap = np.abs(found.difference - (skill[:, None] - skill)) / found.error
        held += (gap[~np.isnan(gap)] <= found.critical).all()
        best, worst = 1 + (true[:, None] > true).sum(axis=0), 6 - (true[:, None] < true).sum(axis=0)
        own = ranks(lined, "micro")
        placed += all(one.best <= b and w <= one.worst for one, b, w in zip(own, best, worst, strict=True))
    assert held >= 88 and placed >= 88  # binomial(100, 0.95) lies above 90 with 97 %


class World:
    """A baseline and runs that differ from it by noise alone, or by a drop too."""

    def __init__(self, how: str, noise: float, **asked):
        self.draw, self.how, self.noise = np.random.default_rng(0), how, noise
        self.asked = questions(**asked).sort_values(["lang", "relation"], ignore_index=True)
        self.a = answers(self.draw, self.asked, 0.5)["p1"].to_numpy()
        self.weight = of_sample(self.asked, how)
        self.subject = self.asked["subject_uri"].factorize()[0]

    def run(self, drop: float = 0.0) -> np.ndarray:
        """As many facts are gained as lost by noise; then so many are lost that the score falls by `drop`."""
        change = np.where(self.a == 1, self.noise / 2 / self.a.mean(), self.noise / 2 / (1 - self.a.mean()))
        b = np.where(self.draw.random(len(self.a)) < change, 1 - self.a, self.a)
        return np.where(self.draw.random(len(b)) < drop / (self.weight * b).sum(), 0, b)

    def tested(self, b: np.ndarray) -> tuple[float, float | None]:
        """The p-value, and the drop that is said to be seen at 5 %."""
        change = self.weight * (b - self.a)
        found = swapped(np.bincount(self.subject, change)[:, None], 1000)
        error, known = float(found.error[0]), self.weight * self.a
        return float(found.low[0]), smallest_drop(known.sum(), step(known, change, error), error, 0.05)


@pytest.mark.parametrize("how", ["micro", "macro"])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1])
def test_a_drop_is_caught_at_the_stated_power(how, noise):
    """At least 80 of 100 are, and not by far too many where facts weigh alike; noise alone is flagged at most at
    alpha."""
    world = World(how, noise, subjects=200, langs=("it", "ja"))
    said = np.median([world.tested(world.run())[1] for _ in range(40)])
    caught = np.mean([world.tested(world.run(said))[0] <= 0.05 for _ in range(300)])
    flagged = np.mean([world.tested(world.run())[0] <= 0.05 for _ in range(300)])
    assert caught >= 0.8 - 3 * np.sqrt(0.8 * 0.2 / 300)
    assert how == "macro" or caught <= 0.95
    assert flagged <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_many_groups_at_once_are_flagged_at_most_at_alpha():
    """Few facts changed in each of twenty groups, which is where percentiles of a bootstrap would flag 12 of 100."""
    draw_, flagged = np.random.default_rng(1), 0
    for _ in range(150):
        change = (draw_.random((60, 20)) < 0.2) * draw_.choice([-1.0, 1.0], (60, 20))
        flagged += min(holm(swapped(change, 8000).low.tolist())) <= 0.05
    assert flagged <= 16  # binomial(150, 0.05) lies below 16 with 99.6 %


def test_the_smallest_drop_grows_with_noise_and_with_care():
    small = [smallest_drop(0.5, 0.001, error, alpha) for error, alpha in ((0, 0.05), (0.01, 0.05), (0.01, 0.001))]
    assert small[0] < small[1] < small[2]
    assert smallest_drop(0.02, 0.01, 0.01, 0.05) is None and smallest_drop(0.0, 0.0, 0.0, 0.05) is None
