"""Ranks against plain loops over the same draws, what must not change them, and orders that are known beforehand."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_fixtures import MadeUp, answers, entry, judged, models, questions

from data_builders.errors import FactrootsError
from leaderboard.changes import changes
from leaderboard.classes import classes, labels
from leaderboard.drawn import draw
from leaderboard.letters import letters
from leaderboard.matrix import matrix
from leaderboard.ranking import tables
from leaderboard.ranks import ranks
from leaderboard.told_apart import told_apart
from leaderboard.weights import of_sample
from probe.judging import hashes
from probe.scores import KEY
from probe.uncertainty import interval, resample, tally, total


def frames(skills=(0.3, 0.5, 0.55, 0.8), missing: float = 0.0, seed: int = 0, **how) -> list[pd.DataFrame]:
    draw_, asked = np.random.default_rng(seed), questions(**{"subjects": 15} | how)
    found = []
    for skill in skills:
        own = answers(draw_, asked, skill)
        kept = (draw_.random(len(own)) >= missing) | (own["relation"] == "P1").to_numpy()  # nobody lacks a subject
        found.append(own[kept].reset_index(drop=True))
    return found


def shared(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """a's answers where b has one too, as :func:`probe.uncertainty.tally` takes them."""
    plain = [f.astype({"lang": object, "relation": object, "item": object}) for f in (a, b)]
    both = plain[0].merge(plain[1][["lang", *KEY]], on=["lang", *KEY])
    return both.assign(subject_uri=hashes(both["subject_uri"].astype(object)))


@pytest.mark.parametrize("how", ["micro", "macro"])
@pytest.mark.parametrize("missing", [0, 0.2])
def test_scores_are_those_of_one_pair_at_a_time(how, missing):
    """One matrix product for all models, and the same draws as a score's own interval has."""
    held = frames(missing=missing)
    lined = matrix(held)
    drawn = draw(lined, how, resamples=50)
    for (i, a), (j, b) in permutations(enumerate(held), 2):
        row, pattern = lined.row[i], drawn.pattern[lined.row[j]]
        sums = tally(shared(a, b))
        assert drawn.scores[row, pattern, 0] == pytest.approx(total(sums).mean(how), rel=1e-13)
        np.testing.assert_allclose(drawn.scores[row, pattern, 1:], resample(sums, 50).mean(how), rtol=1e-12)
    sample = lined.items.assign(weight=of_sample(lined.items, how))
    assert sample["weight"].sum() == pytest.approx(1)


def test_a_models_interval_is_that_of_its_record():
    made = models((0.4, 0.6), subjects=20, whole=True)
    for rank, one in zip(ranks(matrix(e.answers() for e in made), "macro"), made, strict=True):
        result = one.submission.result
        assert tuple(rank.p1) == pytest.approx((result.value, result.ci.low, result.ci.high), abs=1e-12)


def test_kinds_of_columns_do_not_matter():
    """Names as categories, objects or strings, and templates of any width, are the same items."""
    [one] = frames((0.5,))
    other = one.astype({"lang": object, "relation": "str", "item": object, "template": np.int32, "subject_uri": "str"})
    lined = matrix([one, other])
    assert lined.row.tolist() == [0, 0] and lined.scored().all()


def test_an_answer_that_is_there_twice_is_refused():
    [one] = frames((0.5,))
    with pytest.raises(FactrootsError, match="answers an item twice"):
        matrix([pd.concat([one, one.iloc[:1]])])


@pytest.mark.parametrize("missing", [0, 0.2])
def test_told_apart_as_by_plain_loops(missing):
    """All ordered pairs, one at a time, a set of null hypotheses that shrinks (Romano and Wolf 2005)."""
    held = frames((0.25, 0.45, 0.5, 0.55, 0.9), missing, subjects=40)
    lined = matrix(held)
    found = told_apart(draw(lined, "macro", 199))
    values = {}
    for (i, a), (j, b) in permutations(enumerate(held), 2):
        sums = [tally(shared(*pair)) for pair in ((a, b), (b, a))]
        own = [float(total(one).mean("macro")) for one in sums]
        drawn = [resample(one, 199).mean("macro") for one in sums]
        values[lined.row[i], lined.row[j]] = (own[0] - own[1], drawn[0] - drawn[1])
    statistic = {key: d / np.std(values_, ddof=1) for key, (d, values_) in values.items()}
    kept, better, first = set(values), set(), None
    while True:
        largest = [
            max((values[key][1][k] - values[key][0]) / np.std(values[key][1], ddof=1) for key in kept)
            for k in range(199)
        ]
        critical = sorted(largest)[int(np.ceil(0.95 * 198))]
        first = first or critical
        new = {key for key in kept if statistic[key] > critical}
        if not new:
            break
        better, kept = better | new, kept - new
    assert found.critical == pytest.approx(first, rel=1e-9)
    assert {tuple(pair) for pair in np.argwhere(found.better).tolist()} == better
    assert 0 < len(better) < 10


def test_the_order_of_pairs_is_one():
    """Nobody is better than itself, nor than what is better than it; who has more resampled noise needs more."""
    found = told_apart(draw(matrix(frames(subjects=60)), "macro"))
    assert not found.better.diagonal().any() and not (found.better & found.better.T).any()
    np.testing.assert_array_equal(found.difference, -found.difference.T)
    assert (found.difference[found.better] / found.error[found.better] > found.critical * 0.8).all()


def test_one_submission_alone():
    [rank] = ranks(matrix(frames((0.5,))), "macro")
    assert (rank.best, rank.worst, rank.letters, rank.behind) == (1, 1, ["a"], None)


def test_one_subject_tells_nothing():
    """Every resample is the sample: no difference has an error, and no rank is told."""
    asked = questions(1, relations={"P1": 1})
    found = ranks(matrix([judged(asked, [1, 1, 1]), judged(asked, [0, 0, 0])]), "macro")
    assert [(rank.best, rank.worst) for rank in found] == [(1, 2), (1, 2)]
    assert found[1].behind is None


def test_a_planted_order_comes_out():
    skills = np.linspace(0.95, 0.05, 7)
    found = ranks(matrix(frames(skills, subjects=600)), "micro")
    assert [(rank.best, rank.worst) for rank in found] == [(i, i) for i in range(1, 8)]
    assert sorted({letter for rank in found for letter in rank.letters}) == list("abcdefg")


@settings(max_examples=6, deadline=None)
@given(st.data())
def test_what_must_not_change_a_rank(data):
    """The order of rows and of submissions, names, submissions of the same answers, and tables of another meaning."""
    made = models((0.3, 0.5, 0.52, 0.8), seed=data.draw(st.integers(0, 5)), subjects=12)
    before = _places(made)
    order = data.draw(st.permutations(range(4)))
    turned = [made[i] for i in order]
    mixed = [
        entry(f"z{len(made) - i}", one.frame.sample(frac=1, random_state=i), langs=["af", "it", "ja"])
        for i, one in zip(order, turned, strict=True)
    ]
    names = {new.name: made[i].name for i, new in zip(order, mixed, strict=True)}
    other = entry("stranger", answers(np.random.default_rng(9), questions(12), 0.99), protocol="zhao2024-full")
    assert {names[name]: rank for name, rank in _places([*mixed, other]).items()} == before
    twin = data.draw(st.integers(0, 3))
    twice = _places([*made, entry("twin", made[twin].frame)])
    assert twice["twin/local/atlas/kassner2021"] == twice[made[twin].name]
    for name, (p1, best, worst, behind) in before.items():
        assert (twice[name][0], twice[name][3]) == (p1, behind)
        assert best <= twice[name][1] <= best + 1 and worst <= twice[name][2] <= worst + 1


def _places(made) -> dict[str, tuple]:
    """P@1, best and worst rank, and how far behind: to the last bit."""
    [first, *_] = [one for one in classes(made) if "kassner2021" in one.title]
    [table] = tables(first)
    return {row.entry.name: (row.rank.p1, row.rank.best, row.rank.worst, row.rank.behind) for row in table.rows}


def test_equal_models_are_seldom_told_apart():
    """Null control: of boards of four models that are equally good, at most about 5 % tell any two apart."""
    told = 0
    for seed in range(100):
        lined = matrix(frames((0.5,) * 4, subjects=60, seed=seed, langs=("it",), relations={"P1": 1}))
        told += told_apart(draw(lined, "micro", 200)).better.any()
    assert told <= 10  # 95 % of binomial(100, 0.05) lies below 9


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.randoms(use_true_random=False))
def test_letters_say_just_what_is_not_told_apart(n, random):
    alike = np.zeros((n, n), bool)
    for i in range(n):
        for j in range(i):
            alike[i, j] = alike[j, i] = random.random() < 0.5
    found = [set(own) for own in letters(alike)]
    assert all(found)
    for i, j in permutations(range(n), 2):
        assert bool(found[i] & found[j]) == alike[i, j]


def test_letters_of_families_are_few():
    """Ten families of five, told apart within and not between, have 5^10 maximal sets, and need 25 letters."""
    family = np.arange(50) // 5
    found = letters(family[:, None] != family[None])
    assert len({letter for own in found for letter in own}) < 60


def test_what_is_lacking_is_said():
    """A model without a language, without a relation of one, with fewer facts, or with a number alone has no rank."""
    draw_, asked = np.random.default_rng(0), questions(30)
    made = models((0.4, 0.6), subjects=30)
    here = asked["lang"] != "ja"
    made.append(entry("two languages", answers(draw_, asked[here], 0.9), data="2"))
    made.append(entry("mute in ja", answers(draw_, asked[here], 0.9), langs=["af", "it", "ja"], asked=len(asked)))
    hole = (asked["lang"] == "af") & (asked["relation"] == "P3")
    made.append(entry("no P3", answers(draw_, asked[~hole], 0.9), asked=len(asked)))
    made.append(entry("short", answers(draw_, asked[asked.index != 1], 0.9)))
    some = answers(draw_, asked, 0.5).iloc[3:]
    made.append(entry("some unasked", some, asked=len(asked)))
    told = entry("told", answers(draw_, asked, 0.9))
    made.append(MadeUp(told.name, told.submission.model_copy(update={"answers": None}), told.frame))
    [first, second] = classes(made)
    [table] = tables(first)
    assert {one.entry.submission.model: one.lacks for one in table.lacking} == {
        "two languages": ["languages: ja"],
        "mute in ja": ["languages: ja"],
        "no P3": ["relations: P3 in af"],
        "short": [f"facts: 1 of {len(asked)}"],
        "told": ["answers: factroots tells a number only"],
    }
    assert [row.entry.submission.model for row in table.rows] == ["m1", "some unasked", "m0"]
    assert [row.rank.unanswered for row in table.rows] == [0, 3, 0]
    assert {mark.name for mark in table.marks} == {"chance", "majority"} and table.marks[0].low == pytest.approx(0.25)
    assert second.entries[0].submission.model == "two languages" and len(first.differs(second)) == 2
    italian = tables(first, langs=("it",))[0]
    assert "mute in ja" in {row.entry.submission.model for row in italian.rows}
    with pytest.raises(FactrootsError, match="unknown language 'xx'; there are: af, it, ja"):
        tables(first, langs=("xx",))


def test_sixty_models_with_missing_languages():
    draw_, asked = np.random.default_rng(3), questions(30, langs=("af", "it", "ja", "th"))
    made = []
    for i in range(60):
        here = asked[asked["lang"] != "th"] if i % 4 == 0 else asked
        made.append(
            entry(f"m{i}", answers(draw_, here, (i + 5) / 70), langs=["af", "it", "ja", "th"], asked=len(asked))
        )
    [one] = classes(made)
    [table] = tables(one)
    assert len(table.rows) == 45 and len(table.lacking) == 15
    assert all(one.lacks == ["languages: th"] for one in table.lacking)
    places = [(row.rank.best, row.rank.worst) for row in table.rows]
    assert all(best <= place <= worst for place, (best, worst) in enumerate(places, 1))
    by_lang = tables(one, by="lang")
    assert [table.group for table in by_lang] == ["af", "it", "ja", "th"]
    assert [len(table.rows) for table in by_lang] == [60, 60, 60, 45]
    [relation, *_] = tables(one, by="relation")
    assert relation.group == "P1" and relation.marks[0].low == pytest.approx(0.25)


def test_parts_of_the_facts():
    """The facts that all languages have, and those whose object is one token to both of a pair."""
    asked = questions(30)
    asked = asked[(asked["lang"] != "ja") | (asked["subject_uri"] != "S0")].reset_index(drop=True)
    draw_ = np.random.default_rng(0)
    held = [answers(draw_, asked, skill) for skill in (0.4, 0.6)]
    held[0]["pieces"] = 1 + (asked["subject_uri"].str[1:].astype(int) % 2)
    [one] = classes([entry(f"m{i}", frame, whole=True) for i, frame in enumerate(held)])
    same, every = tables(one, "same-facts")[0], tables(one)[0]
    assert every.items == len(asked) and same.items == len(asked) - 2 * 3
    for row in same.rows:
        shared_scores = [language.shared for language in row.entry.submission.result.languages]
        assert row.rank.p1.value == pytest.approx(np.mean([score.value for score in shared_scores]))
    single = tables(one, "one-token")[0]
    assert [row.rank.n for row in single.rows if row.entry.submission.model == "m0"] == [(held[0]["pieces"] == 1).sum()]
    even = held[0]["pieces"] == 1
    expected = entry("x", held[1][even]).submission.result.value - entry("y", held[0][even]).submission.result.value
    assert next(row.rank.behind for row in single.rows if row.rank.behind).value == pytest.approx(expected)


def test_variants_against_their_base():
    draw_, asked = np.random.default_rng(0), questions(60)
    base = answers(draw_, asked, 0.5)
    better = judged(asked, np.where(draw_.random(len(asked)) < 0.2, 1, base["p1"]))
    made = [entry("demo", base), entry("demo+sft", better), entry("lost+sft", better)]
    [found, lost] = changes(classes(made)[0])
    assert (found.base.name, lost.lacks) == (made[0].name, ["its base: lost is not in this table"])
    gained = int(((better["p1"] == 1) & (base["p1"] == 0)).sum())
    assert found.counts == {
        "kept": int(base["p1"].sum()),
        "gained": gained,
        "lost": 0,
        "wrong": len(asked) - gained - int(base["p1"].sum()),
    }
    sums = tally(shared(better.assign(p1=better["p1"] - base["p1"]), base))
    assert found.difference.value == pytest.approx(total(sums).mean("macro"))
    assert tuple(found.difference[1:]) == pytest.approx(tuple(interval(resample(sums).mean("macro"))), abs=1e-12)


def test_labels_tell_entries_of_one_model_apart():
    made = models((0.4, 0.6), subjects=10)
    twins = [made[0], made[1], entry("m0", made[1].frame, protocol="zhao2024-full")]
    assert labels(twins) == ["m0 (local/atlas/kassner2021)", "m1", "m0 (local/atlas/zhao2024-full)"]
