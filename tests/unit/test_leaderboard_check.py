"""``probe leaderboard check``, ``compare`` and ``rank`` as they are called: exit codes, what they print and write."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as xml

import pytest
from click.testing import CliRunner
from probe_fixtures import rigged, small_world
from rank_fixtures import board_of, knower

from leaderboard.commands.rank import VIEWS as NAMES
from leaderboard.markdown import text
from leaderboard.showing import COLUMNS, NOTES, WIDTH
from leaderboard.views import VIEWS
from probe.cli import main
from probe.protocols import Protocol
from probe.scores import score
from probe.store import Store

HOSTILE = "<script>x`y`@someone[a](www.evil.example)_b_"
RUNS = {
    "org/good": lambda lang, relation, i: i % 5 == 0,
    "org/as-good": lambda lang, relation, i: i % 5 == 0 or (lang, relation, i) == ("it", "P36", 7),
    "org/worse": lambda lang, relation, i: i % 5 == 0 or (lang == "ja" and i % 3 == 0),
    HOSTILE: lambda lang, relation, i: i % 2 == 0,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Four runs, whose names are their numbers, a board of them, and a run in one language."""
    folder = tmp_path_factory.mktemp("check")
    facts = small_world(folder / "facts", subjects=60)
    stores = [rigged(folder / str(n), facts, knower(wrong), name=name) for n, (name, wrong) in enumerate(RUNS.items())]
    board_of(folder / "board", stores)
    rigged(folder / "it", f"{facts}(langs=it)", knower(RUNS["org/good"]), name="org/it")
    return folder


def score_text(world, run: str, gold: str | None = None) -> str:
    """A run's record."""
    return score(Store(world / run), Protocol.parse("kassner2021"), gold).model_dump_json()


def call(*words) -> tuple[int, str]:
    """As `probe leaderboard` does it."""
    done = CliRunner().invoke(main, ["leaderboard", *map(str, words)], prog_name="probe")
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def check(world, run: str, *more, baseline="0"):
    return call("check", "--baseline", world / baseline, "--run", world / run, *more)


def test_a_run_that_did_not_fall(world):
    code, said = check(world, "1", "--by", "lang")
    assert code == 0 and "no drop of P@1 found" in said and "2 of 2 by lang did not fall" in said
    power = r"a drop of \d+\.\d points is seen with a power of 80 % at alpha 0.05, corrected for 3 tests"
    assert re.search(power, " ".join(said.split()))
    assert check(world, "0")[0] == 0


def test_a_run_that_fell(world, tmp_path):
    """In Japanese: there the drop is, and there the facts are."""
    code, said = check(world, "2", "--by", "lang", "--junit", tmp_path / "a.xml", "--markdown", tmp_path / "a.md")
    assert code == 1 and "overall fell, p" in said and "lang ja fell" in said and "lang it" not in said
    assert "… and 12 more" in said and max(map(len, said.splitlines())) <= WIDTH
    assert said.count("  ja P36-") + said.count("  ja P47-") == 20
    suite = xml.parse(tmp_path / "a.xml").getroot()[0]
    assert suite.attrib | {"name": ""} == {"name": "", "tests": "3", "failures": "2", "errors": "0"}
    failed = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    assert failed == ["overall", "lang ja"]
    assert "| <code>lang ja</code> | 120 | 80.0 | 53.3 |" in (tmp_path / "a.md").read_text(encoding="utf-8")
    assert check(world, "2", "--by", "relation")[0] == 1


def test_the_same_as_json(world):
    code, said = check(world, "2", "--by", "lang", "--json", "--max-drop", "0.5")
    found = json.loads(said)
    assert code == 1 and found["failed"] and found["means"] == "facts(langs=it;ja), kassner2021"
    overall, it, ja = found["tested"]
    assert (overall["group"], it["group"], ja["group"]) == (None, "it", "ja")
    assert overall["difference"]["value"] == pytest.approx(-2 / 15) and it["difference"]["value"] == 0
    assert ja["fell"] and not it["fell"] and ja["low"] < ja["p_holm"] < 0.05 and it["p_holm"] == 1
    assert len(found["lost"]) == 32 and found["beyond"] == 0
    assert [reason.partition(",")[0] for reason in found["reasons"]] == ["overall fell", "lang ja fell"]


def test_max_drop(world):
    """A drop of the value itself, however uncertain; and how often noise would make it."""
    code, said = check(world, "1", "--max-drop", "0.001", "--alpha", "0.001")
    value = [json.loads(score_text(world, n))["value"] for n in "01"]
    assert value[1] < value[0] - 0.001 and code == 1
    said = " ".join(said.split())
    assert "and --max-drop allows 0.1" in said and "overall fell, p" not in said
    assert re.search(r"crosses --max-drop 0.001 in \d+\.\d % of checks", said)
    assert check(world, "1", "--max-drop", "0.1", "--alpha", "0.001")[0] == 0


def test_baselines_of_every_kind(world):
    """A board with --model, a record on it, a run, and a record in a run give the same."""
    [record] = (world / "board" / "submissions").glob("org-good-*/*/*/kassner2021.json")
    (world / "0" / "kassner2021.json").write_text(score_text(world, "0"), encoding="utf-8")
    expected = json.loads(check(world, "2", "--json")[1])
    for baseline, more in (
        ("board", ("--model", "org/good")),
        (record.relative_to(world), ()),
        ("0/kassner2021.json", ()),
        ("0", ("--protocol", "kassner2021")),
    ):
        found = json.loads(check(world, "2", "--json", *more, baseline=baseline)[1])
        assert found | {"baseline": ""} == expected | {"baseline": ""}
    code, said = check(world, "2", baseline="board")
    assert code == 2 and "several entries are comparable; name one with --model:" in said
    code, said = check(world, "2", "--model", "nobody", baseline="board")
    assert code == 2 and "has no entry called 'nobody'" in said


@pytest.mark.parametrize("baseline", ["0", "board"])
def test_not_comparable(world, tmp_path, baseline):
    """The parts that differ, in all three outputs, and nothing invented."""
    more = ("--model", "org/good") if baseline == "board" else ()
    code, said = check(
        world, "it", *more, "--junit", tmp_path / "a.xml", "--markdown", tmp_path / "a.md", baseline=baseline
    )
    assert code == 2 and "facts: facts(langs=it;ja) / facts(langs=it)" in said and "languages missing: ja" in said
    error = xml.parse(tmp_path / "a.xml").getroot().find(".//error")
    assert "languages missing: ja" in error.get("message")
    assert "not comparable" in (tmp_path / "a.md").read_text(encoding="utf-8")


def test_protocols_and_gold_policies_are_told_apart(world, tmp_path):
    code, said = check(world, "2", "--protocol", "bear")
    assert code == 2 and "needs pseudo" in said
    record = world / "2" / "other.json"
    record.write_text(score_text(world, "2", "any"), encoding="utf-8")
    code, said = check(world, "2/other.json")
    record.unlink()
    assert code == 2 and "gold: one / any" in said
    assert check(world, "2", "--protocol", "kassner2021(ties=optimistic)")[0] == 1


def test_too_many_tests_for_an_alpha(world):
    code, said = check(world, "0", "--alpha", "0.000001")
    assert code == 2 and "no p of 200,000 draws could be small enough; raise --alpha" in said


def test_reports_that_have_no_place(world):
    code, said = check(world, "2", "--junit", "nowhere/a.xml")
    assert code == 2 and "there is no folder nowhere" in said


def test_hostile_names_are_text(world, tmp_path):
    check(world, "3", "--junit", tmp_path / "a.xml", "--markdown", tmp_path / "a.md", baseline="3")
    assert HOSTILE in {p.get("value") for p in xml.parse(tmp_path / "a.xml").iter("property")}
    written = (tmp_path / "a.md").read_text(encoding="utf-8")
    assert "<script" not in written and "@someone" not in written and "www." not in written and "`" not in written


@pytest.mark.parametrize("name", ["a|b", "[x](y)", "<b>", "&amp;", "a\nb", "\u202egnp", "*_~#", "\x00"])
def test_markdown_has_no_mark_of_a_name(name):
    inner = text(name).removeprefix("<code>").removesuffix("</code>")
    assert re.fullmatch(r"(\w| |&#\d+;)*", inner) and "\u202e" not in inner


def test_compare(world):
    board = ("--board", world / "board")
    code, said = call("compare", "org-good", "worse", *board, "--facts")
    assert code == 0 and said.count("\nA ja P") == 32 and "\nB " not in said
    found = json.loads(call("compare", "worse", "org-good", *board, "--json")[1])
    rows = {(row["by"], row["group"]): row for row in found["rows"]}
    assert list(rows) == [(None, None), ("lang", "it"), ("lang", "ja"), ("relation", "P36"), ("relation", "P47")]
    assert rows["lang", "ja"]["difference"]["value"] == pytest.approx(-4 / 15)
    assert rows["lang", "ja"]["only_b_right"] == 32 and rows["lang", "ja"]["a"] == pytest.approx(0.8 - 4 / 15)
    assert rows["lang", "ja"]["p_holm"] == pytest.approx(min(1, 2 * rows["lang", "ja"]["p"]))
    assert rows["lang", "it"]["p_holm"] == 1


def test_rank(world):
    code, said = call("rank", "--board", world / "board", "--quiet")
    assert code == 0 and "4 submissions" in said and max(map(len, said.splitlines())) <= WIDTH
    found = json.loads(call("rank", "--board", world / "board", "--json")[1])
    [one] = found["classes"]
    assert [row["kind"] for row in one["rows"]] == ["ranked"] * 4 + ["mark"] * 2
    assert one["rows"][0]["model"] == "org/good" and one["rows"][0]["p1"]["value"] == pytest.approx(0.8)
    code, said = call("rank", "--board", world / "board", "--quiet", "--by", "lang", "--lang", "ja,it")
    assert code == 0 and re.search(r"org/worse +80\.0 \(\S+\) +53\.3 \(\S+\)", said)
    code, said = call("rank", "--board", world / "board", "--quiet", "--lang", "xx")
    assert code == 2 and "no table has xx; there are: it ja" in said
    for view in NAMES:
        assert call("rank", "--board", world / "board", "--quiet", "--view", view)[0] == 0
    code, said = call("rank", "--board", world / "board", "--view", "cost", "--lang", "it")
    assert code == 2 and "--view cost takes neither --by nor --lang" in said


def test_every_view_has_columns_and_words():
    assert set(VIEWS) == set(COLUMNS) == set(NOTES) == set(NAMES)
