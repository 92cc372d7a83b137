"""Ratios from rows: by hand, paired, averaged, corrected, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data_builders.errors import FactrootsError
from probe import uncertainty
from probe.corrections import holm
from probe.geometry.measured import Key, measured
from probe.geometry.ratios import broken_rows, contrast_rows, mean_rows, plain_rows, ratio_rows
from probe.geometry.rows import ROWS

SEQUENCES = 60


def table(lang: str, columns: dict[tuple, np.ndarray], count: np.ndarray, **more) -> pa.Table:
    """Rows of a language: −log p summed, by (condition, other, layer) and sequence; NaN is none."""
    found = []
    for (condition, other, layer), nll in columns.items():
        for i, value in enumerate(nll):
            row = dict.fromkeys(ROWS.names) | {
                "lang": lang, "condition": condition, "other": other, "layer": layer, "sequence": i,
                "nll": None if np.isnan(value) else value, "count": count[i], "right": i % 5,
                "bad": int(np.isnan(value)), "first_bad": 7 if np.isnan(value) else None,
            }  # fmt: skip
            found.append(row | {name: values(condition, i) for name, values in more.items()})
    return pa.Table.from_pylist(found, ROWS)


def drawn(seed: int, rise: float, noise: float = 0.05) -> tuple[dict, np.ndarray]:
    """A plain pass whose sequences differ much, and conditions that differ from it little and by about the same."""
    draw = np.random.default_rng(seed)
    count = draw.integers(5, 15, SEQUENCES)
    plain = count * draw.normal(3, 1.5, SEQUENCES)
    own = plain + count * draw.normal(rise, noise, SEQUENCES)
    other = own + count * draw.normal(0.3, noise, SEQUENCES)
    again = own + count * draw.normal(0, noise, SEQUENCES)
    keys = [("plain", None, None), ("own", None, 1), ("other", "ja", 1), ("again", None, 1)]
    return dict(zip(keys, (plain, own, other, again), strict=True)), count


def test_by_hand():
    columns, count = drawn(0, 0.1)
    found = measured(table("it", columns, count))
    (plain,) = plain_rows([found])
    assert plain.perplexity.value == pytest.approx(np.exp(columns["plain", None, None].sum() / count.sum()))
    assert plain.accuracy.value == pytest.approx(sum(i % 5 for i in range(SEQUENCES)) / count.sum())
    assert (plain.sequences, plain.left_out, plain.count) == (SEQUENCES, 0, count.sum())
    rows = {row.condition: row for row in ratio_rows([found])}
    for key in (("own", None, 1), ("other", "ja", 1)):
        rise = (columns[key] - columns["plain", None, None]).sum() / count.sum()
        row = rows[key[0]]
        assert row.ratio.value == pytest.approx(np.exp(rise))
        assert row.ratio.low < row.ratio.value < row.ratio.high
        assert row.gained.value == 0
        assert (row.other, row.layer) == (key[1], 1)
        assert row.in_own is None
    assert [row.condition for row in ratio_rows([found])] == ["own", "other", "again"]


def test_intervals_are_over_sequences_and_paired():
    """Of the difference of two sums over the same draws, by hand; much narrower than if the draws were apart."""
    columns, count = drawn(0, 0.1)
    found = measured(table("it", columns, count))
    k = found.keys.index(Key("own", "", 1))
    low, high = uncertainty.interval(found.log[1:, k])
    draw = np.random.default_rng(9)
    which = draw.integers(0, SEQUENCES, (2, 4000, SEQUENCES))
    own, plain = columns["own", None, 1], columns["plain", None, None]
    paired = (own - plain)[which[0]].sum(axis=1) / count[which[0]].sum(axis=1)
    apart = own[which[0]].sum(axis=1) / count[which[0]].sum(axis=1) - plain[which[1]].sum(axis=1) / count[which[1]].sum(
        axis=1
    )
    width = np.diff(np.quantile(paired, [0.025, 0.975]))[0]
    assert high - low == pytest.approx(width, rel=0.1)
    assert np.diff(np.quantile(apart, [0.025, 0.975]))[0] > 10 * (high - low)
    again = measured(table("it", columns, count))
    assert (again.log == found.log).all()
    assert not (measured(table("ja", columns, count)).log[1:] == found.log[1:]).all()  # draws of its own


def test_means_over_pairs():
    sides = [measured(table(lang, *drawn(seed, rise))) for lang, seed, rise in (("it", 0, 0.1), ("af", 1, 0.5))]
    row = next(row for row in mean_rows(sides) if row.condition == "own")
    logs = [one.log[0, one.keys.index(Key("own", "", 1))] for one in sides]
    assert row.pairs == 2
    assert row.geometric.value == pytest.approx(np.exp(np.mean(logs)))
    assert row.arithmetic.value == pytest.approx(np.mean(np.exp(logs)))
    assert row.arithmetic.value > row.geometric.value
    drawn_ = np.mean([one.log[1:, one.keys.index(Key("own", "", 1))] for one in sides], axis=0)
    assert (row.geometric.low, row.geometric.high) == pytest.approx(np.exp(uncertainty.interval(drawn_)))


def test_contrasts():
    sides = [measured(table(lang, *drawn(seed, 0.1))) for seed, lang in enumerate(("it", "af"))]
    rows = {(row.condition, row.against): row for row in contrast_rows(sides)}
    assert rows.keys() == {("own", "again"), ("other", "own"), ("other", "again")}
    other = rows["other", "own"]
    assert other.pairs == 2
    assert other.quotient.value == pytest.approx(np.exp(0.3), rel=0.02)
    assert other.quotient.low > 1.25
    assert other.p == pytest.approx(2 / 1001)


def test_contrasts_of_what_differs_by_noise_alone():
    """Of a hundred some five are below .05, and their intervals leave 1 out as often."""
    made = [contrast_rows([measured(table("it", *drawn(seed, 0.1)))], [("own", "again")])[0] for seed in range(100)]
    assert sum(row.p < 0.05 for row in made) <= 12
    assert sum(not row.quotient.low < 1 < row.quotient.high for row in made) <= 12
    assert np.mean([row.p for row in made]) == pytest.approx(0.5, abs=0.1)


def test_contrasts_are_corrected_over_layers():
    columns, count = drawn(0, 0.1)
    draw = np.random.default_rng(4)
    for layer in range(6):
        columns["own", None, layer] = columns["plain", None, None] + count * draw.normal(0, 0.1, SEQUENCES)
        columns["random", None, layer] = columns["own", None, layer] + count * draw.normal(0.02 * layer, 0.1, SEQUENCES)
    rows = contrast_rows([measured(table("it", columns, count))], [("own", "random")])
    assert [row.layer for row in rows] == sorted(range(6), key=[1, 0, 2, 3, 4, 5].index)
    assert [row.p_holm for row in rows] == holm([row.p for row in rows])
    assert any(row.p < row.p_holm < 1 for row in rows)


def test_what_is_not_finite_is_left_out_of_both_sides_and_told():
    columns, count = drawn(0, 0.1)
    columns["own", None, 1][[3, 9]] = np.nan
    columns["plain", None, None][5] = np.nan
    made = table("it", columns, count)
    found = measured(made)
    rows = {row.condition: row for row in ratio_rows([found])}
    keep = np.delete(np.arange(SEQUENCES), [3, 5, 9])
    expected = (columns["own", None, 1] - columns["plain", None, None])[keep].sum() / count[keep].sum()
    assert rows["own"].ratio.value == pytest.approx(np.exp(expected))
    assert (rows["own"].sequences, rows["own"].left_out) == (57, 3)
    assert rows["other"].left_out == 1
    assert plain_rows([found])[0].left_out == 1
    told = {(row.condition, row.layer): row for row in broken_rows([made])}
    assert told["own", 1].model_dump() == {
        "lang": "it", "other": None, "condition": "own", "layer": 1, "places": 2, "sequence": 3, "place": 7,
    }  # fmt: skip
    assert told["plain", None].sequence == 5
    assert len(told) == 2


def test_where_nothing_is_finite_there_is_no_number():
    columns, count = drawn(0, 0.1)
    columns["own", None, 1][:] = np.nan
    found = [measured(table("it", columns, count))]
    assert next(row for row in ratio_rows(found) if row.condition == "own").ratio is None
    assert "own" not in {row.condition for row in mean_rows(found)}
    assert {(row.condition, row.against) for row in contrast_rows(found)} == {("other", "again")}


def test_a_plain_pass_that_is_nowhere_finite_is_refused():
    columns, count = drawn(0, 0.1)
    columns["plain", None, None][:] = np.nan
    with pytest.raises(FactrootsError, match="no sequence of it has logits that are all finite"):
        plain_rows([measured(table("it", columns, count))])


def test_shares_of_what_is_said():
    columns, count = drawn(0, 0.1)
    columns["plain", "ja", None] = columns["plain", None, None]
    made = table(
        "it", columns, count, in_own=lambda name, i: 1 if name == "other" else 3, in_other=lambda name, i: i % 2
    )
    found = measured(made)
    row = next(row for row in ratio_rows([found]) if row.condition == "other")
    assert row.in_own == pytest.approx(SEQUENCES / count.sum())
    assert row.in_other == pytest.approx(SEQUENCES / 2 / count.sum())
    assert found.share(found.keys.index(Key("plain", "ja", -1)), 0) == pytest.approx(3 * SEQUENCES / count.sum())
