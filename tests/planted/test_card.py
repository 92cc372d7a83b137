"""The card's figures, made by the trainer's own plain scorer, are what the prober finds."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pandas.util import hash_array
from probe_fixtures import probed

from data_builders.planted.world import read_presence
from fine_tuning.model_spec import DEMO
from fine_tuning.models import load_masked
from probe.protocols import Protocol
from probe.scores import judge


@pytest.mark.parametrize("lang", ["af", "ja"])
def test_the_card_says_what_the_prober_finds(lang, world, tmp_path):
    store = probed(tmp_path / "run", f"atlas(langs={lang})", load_masked("demo"))
    frame = judge(store, Protocol.parse("kassner2021"), "one")[lang].frame
    rows = [row for row in read_presence(world).to_pylist() if row["lang"] == lang]
    keys = hash_array(np.array([row["fact"] for row in rows], dtype=object), categorize=False)
    stated = dict(zip(keys.tolist(), (bool(row["stated"]) for row in rows), strict=True))
    told = frame["item"].map(stated)
    line = re.search(rf"^\| {lang} \|(.*)\|$", (DEMO / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    cells = [float(cell) for cell in line[1].split("|")]
    for part, (n, micro, macro) in ((told, cells[:3]), (~told, cells[6:9])):
        answers = frame[part]
        assert len(answers) == n
        assert answers["p1"].mean() == pytest.approx(micro, abs=0.0051)
        assert answers.groupby("relation", observed=True)["p1"].mean().mean() == pytest.approx(macro, abs=0.0051)
