"""BMLAMA: rows and candidates that stand in the same order in every language."""

from __future__ import annotations

import pytest

from data_builders.bmlama import BMLama
from data_builders.errors import FactrootsError, Problems

HEADER = "Prompt\tAns\tCandidate Ans\tSubject"
EN = [
    "The capital of France is <mask>.\tParis\tRome, Paris\tFrance",
    "Bach was born in <mask>.\tEisenach\tEisenach\tBach",
]
IT = [
    "<mask> è la capitale di Francia.\tParigi\tRoma, Parigi\tFrancia",
    "Bach nacque a <mask>.\tEisenach\tEisenach\tBach",
]


@pytest.fixture
def write(tmp_path):
    def write(lang, rows, header=HEADER):
        (tmp_path / f"{lang}.tsv").write_bytes("\r\n".join([header, *rows, ""]).encode())
        return tmp_path

    return write


def facts(path, lang):
    problems = Problems()
    return BMLama(path).facts(lang, problems).to_pylist(), [(p.line, p.message) for p in problems.found]


def test_languages_join_on_row_and_place(write):
    write("en", EN)
    rows, found = facts(write("it", IT), "it")
    assert rows[0] == {
        "fact": "row-00000",
        "relation": "the-capital-of-is",
        "subject_uri": "France",
        "object_uri": "Paris",
        "subject": "Francia",
        "object": "Parigi",
        "prompt": "[Y] è la capitale di Francia.",
        "candidates": ["Rome", "Paris"],
        "candidate_labels": ["Roma", "Parigi"],
    }
    assert rows[1]["relation"] == "was-born-in"
    assert not found


def test_without_english_labels_are_the_entities(write):
    rows, found = facts(write("it", IT), "it")
    assert rows[0]["candidates"] == rows[0]["candidate_labels"] == ["Roma", "Parigi"]
    assert (rows[0]["subject_uri"], rows[0]["object_uri"]) == ("Francia", "Parigi")
    assert not found


def test_quoted_cells(write):
    rows, _ = facts(write("en", ['"""X"" is in <mask>."\t"a""b"\t"c, a""b"\t"""X"""']), "en")
    assert (rows[0]["subject"], rows[0]["candidate_labels"]) == ('"X"', ["c", 'a"b'])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("<mask> è la capitale.\tParigi\tRoma\tFrancia", "answer 'Parigi' is not among the candidates 'Roma'"),
        ("<mask> è la capitale.\tParigi\tRoma, Parigi, Bari\tFrancia", "3 candidates where en.tsv has 2"),
        (
            "<mask> è la capitale.\tParigi\tParigi, Roma\tFrancia",
            "answer 'Parigi' stands elsewhere among the candidates",
        ),
        ("È la capitale.\tParigi\tRoma, Parigi\tFrancia", "has 0 <mask>, expected 1"),
        ("[X] ha <mask>.\tParigi\tRoma, Parigi\tFrancia", "no [X]"),
        ("<mask> è la capitale.\tParigi\tRoma, Parigi\t ", "subject is blank"),
        ("<mask> è la", "has 1 columns, expected 4"),
    ],
)
def test_bad_row_is_named_and_left_out(write, row, message):
    write("en", EN)
    rows, found = facts(write("it", [row, IT[1]]), "it")
    assert [r["fact"] for r in rows] == ["row-00001"]
    assert found[0][0] == 2 and message in found[0][1]


def test_not_utf8(write, tmp_path):
    write("en", EN)
    (tmp_path / "it.tsv").write_bytes("\n".join([HEADER, IT[0], IT[1]]).encode("latin-1"))
    rows, found = facts(tmp_path, "it")
    assert [r["fact"] for r in rows] == ["row-00001"]
    assert found[0] == (2, "is not UTF-8")


def test_missing_rows(write):
    write("en", EN)
    assert facts(write("it", IT[:1]), "it")[1] == [(0, "lacks 1 of en.tsv's rows, the first is row 1")]
    write("it", [*IT, IT[0]])
    assert facts(write("it", [*IT, IT[0]]), "it")[1] == [(4, "row 2 has no good row in en.tsv to join with")]


def test_wrong_header(write):
    with pytest.raises(FactrootsError, match="en.tsv:1: the header is 'Prompt.*expected 'Prompt"):
        facts(write("en", EN, header="Prompt\tAnswer"), "en")


def test_folder_without_languages(tmp_path):
    with pytest.raises(FactrootsError, match="<lang>.tsv"):
        BMLama(tmp_path)


def test_published_set(shared_data):
    source, problems = BMLama(shared_data("bmlama17")), Problems()
    english = source.facts("en", problems)
    assert len(source.languages()) == 17
    assert len(english["relation"].unique()) == 38
    for lang in source.languages():
        table = source.facts(lang, problems)
        assert len(table) == 6792
        for name in ("fact", "relation", "subject_uri", "object_uri", "candidates"):
            assert table[name].equals(english[name]), (lang, name)
    assert not problems.found
