"""What the twins of `demo` say of roots: the figures in docs/roots.md, and, slowly, that they come out again."""

import json
import os
from pathlib import Path

import pytest

from tests.planted import twins

KEPT = twins.ROOTS_MD.parent / "twins.json"


def test_the_table_in_docs_is_that_of_the_figures_kept():
    found = json.loads(KEPT.read_text(encoding="utf-8"))
    text = twins.ROOTS_MD.read_text(encoding="utf-8")
    assert text.partition(twins.BEGIN)[2].partition(twins.END)[0].strip() == twins.tables(found)
    hold(found)


@pytest.mark.slow
@pytest.mark.skipif(
    "FACTROOTS_TWINS" not in os.environ, reason="FACTROOTS_TWINS names no folder for the twins (1.5 hours to train)"
)
def test_the_twins_confirm_the_roots():
    folder = Path(os.environ["FACTROOTS_TWINS"])
    folder.mkdir(parents=True, exist_ok=True)
    hold(twins.measure(folder))


def hold(found: dict) -> None:
    """Where no neuron is shared hardly a fact is called so, and what is called transferred is seldom guessed."""
    joint, siloed, guessed = found["joint"], found["siloed"], found["counterfactual"]
    assert siloed["share"]["high"] < 0.05 < 0.25 < joint["share"]["low"]
    assert min(siloed["shared"] + siloed["independent"], joint["shared"] + joint["independent"]) > 5000
    assert guessed["transferred"]["share"]["high"] < 0.5 < guessed["cue:prior"]["share"]["low"]
    capitals = [guessed["transferred"]["relations"][name] for name in ("P36", "P1376")]
    assert sum(part["guessed"] for part in capitals) <= 0.1 * sum(part["facts"] for part in capitals)
