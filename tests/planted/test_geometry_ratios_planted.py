"""The demo model's subspaces do to its text what the paper says of XLM-R's: known claims, each beside its control."""

from __future__ import annotations

import pytest

from data_builders.progress import Quiet
from fine_tuning.models import load_masked
from probe.geometry.body import Body
from probe.geometry.fits import Fits
from probe.geometry.fitting import carry_out, describe
from probe.geometry.measures import Measure
from probe.geometry.plan import Plan
from probe.geometry.ratio_results import results
from probe.geometry.text import read_sequences

LANGS = ("it", "ja")
CONDITIONS = ("own", "other", "other-own-mean", "shift", "full", "random", "pooled", "again", "shift-again", "erase")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder, demo = tmp_path_factory.mktemp("geometry"), load_masked("demo")
    body, found = Body.of(demo), read_sequences("planted", demo, LANGS, 128, 48, 24)
    fits: Fits = carry_out(body, describe(body, "planted", found, 0), found, folder / "fits", Quiet())
    plan = Plan(LANGS, LANGS, (2,), CONDITIONS, Measure.parse("mlm"), 0.9)
    return results(plan, fits, demo, str(folder / "ratio"), True)[1]


def test_projections(record):
    """Into its own subspace text loses little, into another language's more, and less about its own mean."""
    mean = {row.condition: row.geometric for row in record.means}
    assert mean["full"].model_dump() == {"value": 1, "low": 1, "high": 1}
    assert 1 < mean["own"].high < mean["other-own-mean"].high < mean["other"].low < mean["random"].high
    against = {(row.condition, row.against): row for row in record.contrasts}
    assert against["own", "random"].quotient.high < 1
    assert against["other", "other-own-mean"].quotient.low > 1


def test_controls_that_should_show_nothing(record):
    mean = {row.condition: row.geometric for row in record.means}
    against = {(row.condition, row.against): row for row in record.contrasts}
    assert abs(against["own", "again"].quotient.value - 1) < 0.1
    assert mean["shift-again"].value == pytest.approx(1, abs=0.05)


def test_a_shift_is_enough_to_change_the_language(record):
    (it, ja), said = record.speech, {(row.lang, row.condition): row for row in record.ratios}
    for one in (it, ja):
        shifted = said[one.lang, "shift"]
        assert one.plain_own > 0.7 > 0.1 > one.plain_other
        assert shifted.in_other > 0.4 > 0.3 > shifted.in_own
        assert one.text_own > 0.7 > 0.1 > one.text_other
        assert one.other_text_other > 0.7
