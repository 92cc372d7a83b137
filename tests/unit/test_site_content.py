"""What the site takes from a board: ranks, what is lacking, changes of variants, tracings and their passages."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rank_fixtures import MadeUp, answers, entry, questions

from data_builders.errors import FactrootsError
from data_builders.folder import write_json
from data_builders.progress import Quiet
from leaderboard.classes import classes
from leaderboard.ranking import tables
from leaderboard.site import data
from leaderboard.site.build import build
from leaderboard.site.content import gather
from leaderboard.site.labels import Labels
from leaderboard.site.traced import LONGEST, PASSAGES, read
from leaderboard.submission import Submission, Told, ToldLanguage
from probe.tracing.roots.kept import ROOTS


@pytest.fixture(scope="module")
def entries():
    """A base and its variant, one that was asked in fewer languages, and one under another protocol."""
    draw, asked = np.random.default_rng(0), questions(subjects=60)
    few = asked[asked["lang"] != "ja"].reset_index(drop=True)
    return [
        entry("base", answers(draw, asked, 0.8)),
        entry("base+sft", answers(draw, asked, 0.4)),
        entry("few", answers(draw, few, 0.6), data="2", langs=["af", "it"]),
        entry("other", answers(draw, asked, 0.6), protocol="bear"),
    ]


@pytest.fixture(scope="module")
def content(entries):
    return gather("", entries, [], Quiet())


def test_tables_are_the_classes_with_their_ranks(content, entries):
    assert content.title == "Leaderboard"
    found = classes(entries)
    assert [one.title for one in content.tables] == [one.title for one in found]
    for shown, own in zip(content.tables, found, strict=True):
        [ranked] = tables(own)
        expected = [(row.entry.name, (row.rank.best, row.rank.worst)) for row in ranked.rows]
        assert [(row.entry.name, row.rank) for row in shown.rows if row.rank] == expected
        assert shown.differs == own.differs(found[0]) and shown.marks == ranked.marks
    assert content.tables[0].differs == [] and all(one.differs for one in content.tables[1:])
    assert len({one.id for one in content.tables}) == len(content.tables)


def test_what_was_asked_in_fewer_languages_stands_below_and_is_not_of_the_table(content):
    [row] = [row for row in content.tables[0].rows if row.entry.submission.model == "few"]
    assert (row.rank, row.lacks, row.own) == (None, ["languages: ja"], False)
    assert content.tables[0].rows[-1] is row
    [own] = [row for one in content.tables[1:] for row in one.rows if row.entry.submission.model == "few"]
    assert own.own and own.rank == (1, 1) and own.page == row.page and own.id != row.id


def test_a_variant_has_its_change_and_the_chart_its_base(content):
    changed = [row for row in content.tables[0].rows if row.change]
    assert [row.entry.submission.model for row in changed] == ["base+sft"]
    told = data.of(content)["tables"][0]["rows"]
    base, variant = (next(row for row in told if row["model"] == name) for name in ("base", "base+sft"))
    assert variant["change"]["base"] == base["id"] and base["change"] is None
    assert sum(variant["change"][kind] for kind in ("kept", "gained", "lost", "wrong")) == variant["n"]


def test_marks_by_language_are_the_records(content):
    results = [row.submission.result for row in content.tables[0].rows if row.rank]
    for lang, marks in content.tables[0].by_lang.items():
        scores = [one.all for result in results for one in result.languages if one.lang == lang]
        assert [(mark.name, mark.low, mark.high) for mark in marks] == [
            (name, min(getattr(score, name) for score in scores), max(getattr(score, name) for score in scores))
            for name in ("chance", "majority")
        ]
    assert set(content.tables[0].by_lang) == {"af", "it", "ja"}


def told(value: float) -> MadeUp:
    """A number of another tool, without answers or an interval."""
    result = Told(
        signature="task:facts|model:org/told", metric="acc", value=value, stderr=0.01, n_scored=None, protocol="0-shot",
        languages=[ToldLanguage(lang="it", value=0.0, n=None), ToldLanguage(lang="ja", value=1.0, n=7)],
        model={"spec": "org/told", "id": "org/told"}, data={"spec": None}, code={},
    )  # fmt: skip
    submission = Submission(result=result, n=None, answers=None, origin="lm-eval", unverified=["the score itself"])
    return MadeUp(f"told-{value}/local/facts/0-shot", submission, None, None)


def test_a_number_that_is_only_told_is_shown_with_what_cannot_be_checked(entries, tmp_path):
    content = gather("Told", [*entries[:2], told(0.0)], [], Quiet())
    [table] = [one for one in content.tables if one.metric == "acc"]
    [row] = table.rows
    assert row.rank is None and row.lacks == ["answers: lm-eval tells a number only"]
    build(content, tmp_path / "site", Labels(), Quiet())
    page = (tmp_path / "site" / "models" / f"{row.page}.html").read_text(encoding="utf-8")
    assert "the score itself" in page and "acc</dt><dd><bdi>0.0 %" in page and "Compare fact by fact" not in page
    [one] = [one for one in data.of(content)["tables"] if one["metric"] == "acc"]
    assert one["caption"] == "acc in %, as lm-eval tells it" and one["rows"][0]["low"] is None
    assert not (tmp_path / "site" / "data" / f"{row.id}.js").exists()


def traced(folder, submission, roots, **other):
    """A tracing's folder with these rows of ROOTS."""
    folder.mkdir()
    result = submission.result
    run = {"facts": result.data["spec"], "data": {"sha256": result.data["sha256"]}, "model": result.model}
    about = {"run": run, "protocol": result.protocol, "gold": "one", "presence": {"corpus": {"it": "0" * 64}}, **other}
    write_json(folder / "roots.json", {"made_of": about})
    plain = dict.fromkeys(ROOTS.names)
    pq.write_table(pa.Table.from_pylist([plain | row for row in roots], schema=ROOTS), folder / "roots.parquet")
    return folder


class Corpus:
    """As much of a built corpus as is asked for."""

    folder, langs = "corpus", ("it",)

    def __init__(self, texts):
        self.texts = texts

    def sha256(self, lang):
        return "0" * 64

    def blocks(self, lang, columns):
        for start in range(0, len(self.texts), 2):
            yield pa.RecordBatch.from_pydict({"text": self.texts[start : start + 2]})


ROWS = [
    {"lang": "it", "fact": "a", "root": "shared", "source": "ja", "passages_lang": "it", "passages": [4, 1, 2, 3]},
    {"lang": "it", "fact": "b", "root": "cue:prior", "reason": "often right", "passages_lang": "it", "passages": []},
    {"lang": "it", "fact": "c", "root": "wrong", "passages_lang": "it", "passages": [0]},
    {"lang": "it", "fact": "d", "root": "independent", "source": "ja", "passages_lang": "it", "passages": None},
]


def test_roots_are_told_with_the_passages_that_they_have(entries, tmp_path):
    texts = ["zero", "one", "two", "three", "four" * 200]
    held = read(traced(tmp_path / "roots", entries[0].submission, ROWS), Corpus(texts))
    assert PASSAGES == 3
    assert (
        held.told("it", ["d", "c", "b", "a", "x"])
        == [
            ["independent", "", "it", []],
            None,  # a wrong answer has no root
            ["cue:prior", "(often right)", "it", []],
            ["shared", "with ja", "it", [("four" * 200)[: LONGEST - 1] + "…", "one", "two"]],
            None,
        ]
    )
    assert read(tmp_path / "roots", None).told("it", ["a"]) == [["shared", "with ja", "it", []]]


def test_a_tracing_goes_with_the_answers_that_it_is_of(entries, tmp_path):
    held = read(traced(tmp_path / "roots", entries[0].submission, ROWS), None)
    content = gather("", entries[:1] + entries[2:], [held], Quiet())
    assert {row.entry.submission.model for one in content.tables for row in one.rows if row.traced} == {"base"}
    submission = entries[0].submission
    for changed in ({"dtype": "bfloat16"}, {"sha256": "1" * 64}):
        other = submission.result.model_copy(update={"model": {**submission.result.model, **changed}})
        assert not held.fits(submission.model_copy(update={"result": other}))
    assert not read(traced(tmp_path / "other", submission, ROWS, gold="any"), None).fits(submission)


def test_faults_of_tracings_are_said(entries, tmp_path):
    with pytest.raises(FactrootsError, match=r"holds no tracing \(no roots.json\).*probe trace-roots"):
        read(tmp_path, None)
    folder = traced(tmp_path / "roots", entries[0].submission, ROWS, presence={"corpus": {"it": "1" * 64}})
    with pytest.raises(FactrootsError, match=r"another corpus than corpus; name that with --corpus"):
        read(folder, Corpus([]))


def test_the_pages_data_is_json_without_nan(content):
    json.dumps(data.of(content), allow_nan=False)
