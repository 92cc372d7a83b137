"""DLAMA: lists of right answers, a relation in several files, templates that are mLAMA's."""

from __future__ import annotations

import pytest
from probe_fixtures import rigged

from data_builders.dlama import DLama
from data_builders.errors import FactrootsError, Problems
from data_builders.factset import FactSet
from probe.protocols import Protocol
from probe.scores import judge

# As in the publisher's README.
CAPITALS = [["Q3926", "Q5465"], ["Q3919"]]
AFRICA = {
    lang: [("Q258", subject, CAPITALS[0], ["Pretoria", cape]), ("Q963", "Botswana", CAPITALS[1], ["Gaborone"])]
    for lang, subject, cape in [("en", "South Africa", "Cape Town"), ("fr", "Afrique du Sud", "Le Cap")]
}
NAME = "P36_geography_SOUTHERN_AFRICA"


def row(subject: str, label: str, uris, labels, number: int = 0) -> dict:
    ends = {"sub_uri": subject, "obj_uri": uris, "sub_label": label, "obj_label": labels}
    return {**ends, "uuid": f"{NAME}_{number}"}


@pytest.fixture
def folder(tmp_path, write_jsonl):
    for lang, facts in AFRICA.items():
        write_jsonl(f"{lang}/{NAME}.jsonl", *(row(*fact, i) for i, fact in enumerate(facts)))
        write_jsonl(f"{lang}/templates.jsonl", {"relation": "P36", "template": "The capital of [X] is [Y] ."})
    return tmp_path


def facts(path, lang):
    problems = Problems()
    rows = DLama(path).facts(lang, problems).to_pylist()
    return rows, [(p.line, p.message) for p in problems.found]


def test_each_pair_is_a_fact(folder):
    """Languages join on the pair's identifiers; labels run parallel to them."""
    rows, found = facts(folder, "fr")
    assert [(r["fact"], r["subject"], r["object"]) for r in rows] == [
        ("P36|Q258|Q3926", "Afrique du Sud", "Pretoria"),
        ("P36|Q258|Q5465", "Afrique du Sud", "Le Cap"),
        ("P36|Q963|Q3919", "Botswana", "Gaborone"),
    ]
    assert [r["fact"] for r in facts(folder, "en")[0]] == [r["fact"] for r in rows]
    assert {r["relation"] for r in rows} == {"P36"} and not found


def test_any_of_the_list_is_right(folder, tmp_path):
    """`--gold any` makes one item of a row's list, right when the model prefers any of its objects."""
    best = {"South Africa": "Cape Town", "Botswana": "Pretoria"}
    store = rigged(
        tmp_path / "run",
        f"dlama:{folder}(langs=en)",
        lambda _, subject, label: -1.0 if label == best[subject] else -2.0,
    )
    any_, one = (judge(store, Protocol.parse("kassner2021"), gold)["en"].frame for gold in ("any", "one"))
    assert sorted(any_["p1"]) == [0, 1]
    assert sorted(one["p1"]) == [0, 0, 1]


def test_one_fact_in_files_of_two_domains(folder, write_jsonl):
    write_jsonl("fr/P36_geography_WORLDWIDE.jsonl", row(*AFRICA["fr"][1]), row("Q38", "Italie", "Q220", "Rome", 1))
    rows, found = facts(folder, "fr")
    assert [r["object"] for r in rows] == ["Pretoria", "Le Cap", "Gaborone", "Rome"]
    assert not found


def test_bad_rows(folder, write_jsonl):
    path = f"fr/{NAME}.jsonl"
    write_jsonl(
        path,
        row("Q258", "Afrique du Sud", ["Q3926", "Q5465"], ["Pretoria"]),
        row("Q963", None, ["Q3919"], ["Gaborone"]),
        row("Q963", "Botswana", [], []),
        row("Q963", "Botswana", ["Q3919", "Q1"], ["Gaborone", None]),
        {"sub_label": "Botswana", "obj_uri": ["Q3919"], "obj_label": ["Gaborone"]},
    )
    rows, found = facts(folder, "fr")
    assert [r["object"] for r in rows] == ["Gaborone"]
    assert found == [
        (1, "has 2 obj_uri but 1 obj_label"),
        (2, "has no sub_label"),
        (3, "has 0 obj_uri but 0 obj_label"),
        (4, "has no obj_label"),
        (5, "has no sub_uri"),
    ]


def test_templates_are_brought(folder):
    opened = FactSet.parse(f"dlama:{folder}(langs=fr)").open()
    assert [(t.relation, t.made) for t in opened.templates("fr")] == [("P36", "machine")]
    for path in folder.glob("*/templates.jsonl"):
        path.unlink()
    opened = FactSet.parse(f"dlama:{folder}(langs=fr)").open()
    with pytest.raises(FactrootsError, match="dlama has no templates in fr; .* mpararel:DIR"):
        opened.need_questions()


def test_folder_without_languages(tmp_path):
    (tmp_path / "en").mkdir()
    with pytest.raises(FactrootsError, match="<lang>/<relation>_<...>.jsonl"):
        DLama(tmp_path)
