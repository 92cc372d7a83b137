"""Paired differences against plain loops over the same draws, and what they are of runs that are the same."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pandas as pd
import pytest
from probe_fixtures import rigged, small_world

from leaderboard.comparison import compare
from probe.pairs import answers, paired
from probe.protocols import Protocol
from probe.scores import score
from probe.uncertainty import RESAMPLES, SEED


def sample(langs=("it",)) -> pd.DataFrame:
    """Subjects asked from none to three times of each relation in each language, two answers to each."""
    draw = np.random.default_rng(0)
    rows = [
        (f"Q{i:02}", lang, relation)
        for i in range(25)
        for lang in langs
        for relation in ("P1", "P2", "P3")
        for _ in range(draw.integers(0, 3) if relation != "P3" else i < 2)
    ]
    frame = pd.DataFrame(rows, columns=["subject_uri", "lang", "relation"])
    return frame.assign(a=draw.integers(0, 2, len(rows)) * 1.0, b=draw.integers(0, 3, len(rows)) / 2)


def by_loops(rows: list, how: str, value) -> float:
    if how == "micro":
        return mean(value(r) for r in rows)
    return mean(
        mean(mean(value(r) for r in rows if (r.lang, r.relation) == key) for key in keys)
        for lang in sorted({r.lang for r in rows})
        for keys in [sorted({(r.lang, r.relation) for r in rows if r.lang == lang})]
    )


@pytest.mark.parametrize("how", ["micro", "macro"])
@pytest.mark.parametrize("langs", [("it",), ("it", "ja")])
def test_against_plain_loops(how, langs):
    frame = sample(langs)
    rows = list(frame.itertuples())
    values = {"a": lambda r: r.a, "b": lambda r: r.b, "difference": lambda r: r.b - r.a}
    subjects = sorted({r.subject_uri for r in rows})
    draws = np.random.Generator(np.random.PCG64(SEED)).integers(0, len(subjects), (RESAMPLES, len(subjects)))[:]
    drawn = [[r for i in draw for r in rows if r.subject_uri == subjects[i]] for draw in draws[:]]
    whole, relations = paired(frame, how)
    assert whole.n == len(rows) and (set(relations) == {"P1", "P2", "P3"}) == (len(langs) == 1)
    for name, value in values.items():
        expected = [by_loops(sample, how, value) for sample in drawn]
        found = getattr(whole, name)
        assert found.value == pytest.approx(by_loops(rows, how, value), abs=1e-12)
        assert (found.low, found.high) == pytest.approx(tuple(np.quantile(expected, (0.025, 0.975))), abs=1e-12)
        for relation, one in relations.items():
            own = [[value(r) for r in sample if r.relation == relation] for sample in drawn]
            means = [mean(values) for values in own if values]
            assert one.n == sum(r.relation == relation for r in rows)
            assert getattr(one, name).low == pytest.approx(np.quantile(means, 0.025), abs=1e-12)
    differences = np.array([by_loops(sample, how, values["difference"]) for sample in drawn])
    beyond = min((differences <= 0).sum(), (differences >= 0).sum())
    assert whole.p == pytest.approx(min(1.0, 2 * (beyond + 1) / (RESAMPLES + 1)))


def test_of_the_same_run_nothing_differs(tmp_path):
    store = rigged(tmp_path / "run", small_world(tmp_path / "facts"), lambda r, s, label: -float(len(label + s) % 5))
    protocol = Protocol.parse("kassner2021")
    for row in compare(store, store, protocol):
        assert (row.difference, row.low, row.high, row.p) == (0, 0, 0, 1) and row.a == row.b
        assert (row.only_a, row.only_b) == (0, 0)


def test_names_and_hashes_are_of_the_same_answers(tmp_path):
    store = rigged(tmp_path / "run", small_world(tmp_path / "facts"), lambda r, s, label: -float(len(label + s) % 5))
    protocol = Protocol.parse("kassner2021")
    plain, named = (answers(store, protocol, "one", hashed) for hashed in (True, False))
    assert set(named["item"]) == {f"{r}-{i}" for r in ("P36", "P47") for i in range(12)}
    assert named["p1"].sum() == plain["p1"].sum() and 0 < named["p1"].mean() < 1
    means = named.groupby(["lang", "relation"])["p1"].mean()
    for language in score(store, protocol).languages:
        for relation, own in language.relations.items():
            assert own.value == pytest.approx(means[language.lang, relation])
