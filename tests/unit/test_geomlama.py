"""GeoMLAMA: five prompts a concept, one a country, with candidates and several right answers."""

from __future__ import annotations

import pytest
from probe_fixtures import rigged

from data_builders.errors import FactrootsError, Problems
from data_builders.factset import FactSet
from data_builders.geomlama import COUNTRIES, GeoMLama
from probe.protocols import Protocol
from probe.scores import judge

HEADER = "Prompt\tCorresponding Questions\tAns\tCandidate Ans\tContext\tGPT-3 Pred\tGPT-3 Pred (T/F/I)"
UNITS = "feet, inch, yard, meter, centimeter"
HEIGHTS = ["feet, inch", "meter, centimeter", "feet, inch, meter", "meter", "meter"]
PEOPLE = ["American", "Chinese", "Indian", "Iranian", "Kenyan"]
EN = [
    *(
        f'The unit of measuring height is <mask> in {country}.\tWhich?\t{answers}\t{UNITS}\tunit\t"chi" (尺)\tF'
        for country, answers in zip(COUNTRIES.values(), HEIGHTS, strict=True)
    ),
    "\t\t\t\t\t\t",
    *(
        f"{people} people dry their wet cloths in the <mask>.\tHow?\t{answer}\tmachines, sun, sun\tdrying\tsun\tT"
        for people, answer in zip(PEOPLE, ["machines", "sun", "sun", "sun", "sun"], strict=True)
    ),
]
ZH = [
    f"在{country}，车中的驾驶座一般会在<mask>边。\t哪侧\t左\t右, 左\tdriver seat\t右\tF"
    for country in ("美国", "中国", "印度", "伊朗", "肯尼亚")
]


@pytest.fixture
def write(tmp_path):
    def write(lang, rows, header=HEADER):
        (tmp_path / f"gd_prompt_{lang}.tsv").write_text("\n".join([header, *rows]), encoding="utf-8")
        return tmp_path

    return write


def facts(path, lang):
    problems = Problems()
    rows = GeoMLama(path).facts(lang, problems).to_pylist()
    return rows, [(p.line, p.message) for p in problems.found]


def test_a_row_is_a_question_with_its_answers(write):
    rows, found = facts(write("en", EN), "en")
    assert rows[0] == {
        "fact": "concept-01|Q30|1",
        "relation": "concept-01",
        "subject_uri": "Q30",
        "object_uri": "feet",
        "subject": "United States",
        "object": "feet",
        "prompt": "The unit of measuring height is [Y] in United States.",
        "candidates": UNITS.split(", "),
        "candidate_labels": UNITS.split(", "),
    }
    assert [row["fact"] for row in rows[1:5]] == [f"concept-01|{c}" for c in ("Q30|2", "Q148|1", "Q148|2", "Q668|1")]
    assert len(rows) == 2 + 2 + 3 + 1 + 1 + 5 and not found


def test_the_subject_is_what_differs(write):
    """Nationalities and names in any script; a block whose prompts differ elsewhere falls back on English names."""
    folder = write("en", EN)
    assert [row["subject"] for row in facts(folder, "en")[0][-5:]] == PEOPLE
    assert [row["subject"] for row in facts(write("zh", ZH), "zh")[0]] == ["美国", "中国", "印度", "伊朗", "肯尼亚"]
    odd = [row.replace("<mask>", "<mask> here", 1) if "China" in row else row for row in EN[:5]]
    odd[0] = f"Now: {odd[0]}"
    assert [row["subject"] for row in facts(write("en", odd), "en")[0]][:4] == [
        "United States", "United States", "China", "China",
    ]  # fmt: skip


def test_candidates_are_each_one_once(write):
    """The published Hindi file lists evening twice among four."""
    assert facts(write("en", EN), "en")[0][-1]["candidates"] == ["machines", "sun"]


def test_any_answer_is_right(write, tmp_path):
    """`--gold any` asks each prompt once and accepts any of its answers."""
    store = rigged(
        tmp_path / "run",
        f"geomlama:{write('en', EN)}",
        lambda _, __, label: {"inch": -1.0, "sun": -1.0}.get(label, -2.0),
    )
    frame = judge(store, Protocol.parse("kassner2021"), "any")["en"].frame
    hits = frame.groupby("relation", observed=True)["p1"].agg(["sum", "count"]).to_numpy().tolist()
    assert hits == [[2, 5], [4, 5]]


def test_bad_rows(write):
    bad = [
        EN[0],
        EN[1].replace("\tmeter, centimeter\t", "\tmetre\t"),
        EN[2].replace("<mask>", "it"),
        EN[3].replace("\tmeter\t", "\t\t"),
    ]
    rows, found = facts(write("en", bad), "en")
    assert [row["subject_uri"] for row in rows] == ["Q30", "Q30"]
    assert [line for line, _ in found] == [0, 3, 4, 4, 4, 5]
    assert "has 4 prompts, expected 5 of each concept" in found[0][1]
    assert "'metre' is not among the candidates" in found[1][1]
    assert "exactly one [Y]" in found[2][1] and "blank" in found[5][1]


def test_paraphrases_are_no_language(write):
    (write("en", EN) / "gd_prompt_en_aug.tsv").write_text("x")
    assert GeoMLama(write("zh", ZH)).languages() == ["en", "zh"]


def test_wrong_header(write):
    with pytest.raises(FactrootsError, match="gd_prompt_en.tsv:1: the header has no Ans, Candidate Ans"):
        facts(write("en", EN, header="Prompt\tAnswer"), "en")


def test_folder_without_languages(tmp_path):
    with pytest.raises(FactrootsError, match="gd_prompt_<lang>.tsv"):
        GeoMLama(tmp_path)


def test_as_a_fact_set(write):
    """Languages share their rows: concept, country and which answer."""
    same = [row.replace("在", "于") for row in ZH]
    write("zh", ZH)
    opened = FactSet.parse(f"geomlama:{write('sw', same)}(parallel)").open()
    assert [len(opened.table(lang)) for lang in opened.langs] == [5, 5]
    opened.need_questions()
