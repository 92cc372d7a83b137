"""X-FACTR's published layout: names, aliases and further objects from tables, prompts with inflection markup."""

from __future__ import annotations

import json

import pytest

from data_builders.errors import FactrootsError, Problems
from data_builders.facts import Template
from data_builders.factset import FactSet
from data_builders.inflection import reduced
from data_builders.xfactr import XFactr

PROMPTS = """\
pid,relation,en,fr,ru,mg
P36,capital,The capital of [X] is [Y] .,La capitale [PREPDEF;X] [X] est [Y] .,Столица [X.Gen] — [Y.Nom] .,
P37,"official language, or several",[X] speaks [Y] .,[X] est  [né;X-Gender=MASC|née;X-Gender=FEM] [Y] .,"""
PROMPTS += '"Язык "" [X.Gen] "" — [Y.Nom] .",[Y] dia [Y] .\n'
NAMES = """\
Q38\t"Italie"@fr\t"Italy"@en\t"Италия"@ru
Q220\t"Rome"@en\t"Rome"@fr\t"Рим"@ru
Q39\t"Switzerland"@en\t"Suisse"@fr
Q652\t"Italian"@en\t"italien"@fr
Q150\t"French"@en\t"français"@fr
Q188\t"German"@en
"""
ALIASES = "Q220\tRome\tRoma\tla Ville éternelle\nQ652\titalien\n"
MORE = "Q39\tP37\tQ150 Q652 Q188\nQ38\tP37\tQ150\n"


def published(number: int, relation: str, subject: str, answer: str) -> dict:
    labels = {"sub_label": "English", "obj_label": "English"}
    return {"uuid": f"u{number}", "predicate_id": relation, "sub_uri": subject, "obj_uri": answer, **labels, "count": 1}


FACTS = {
    "P36": [published(1, "P36", "Q38", "Q220"), published(2, "P36", "Q39", "Q70")],
    "P37": [published(3, "P37", "Q39", "Q652")],
}


@pytest.fixture
def clone(tmp_path):
    files = {
        "TREx_prompts.csv": PROMPTS,
        "mTRExf_unicode_escape.txt": NAMES,
        "mTRExf_multi_rel.txt": MORE,
        "alias/mTRExf/fr.txt": ALIASES,
        **{f"mTRExf/sub/{p}.jsonl": "".join(json.dumps(r) + "\n" for r in rows) for p, rows in FACTS.items()},
    }
    for name, text in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def facts(path, lang):
    problems = Problems()
    rows = XFactr(path).facts(lang, problems).to_pylist()
    return rows, [(p.line, p.message) for p in problems.found]


def test_names_of_both_ends_make_a_fact(clone):
    """A fact without a name for its subject or object is not in the language; the English labels do not stand in."""
    rows, found = facts(clone, "fr")
    assert [(row["fact"], row["subject"], row["object"]) for row in rows] == [
        ("u1", "Italie", "Rome"),
        ("u3", "Suisse", "italien"),
        ("P37|Q39|Q150", "Suisse", "français"),
    ]
    assert [row["subject"] for row in facts(clone, "ru")[0]] == ["Италия"]
    assert not facts(clone, "mg")[0] and not found


def test_further_objects_of_those_asked_only(clone):
    """Objects that the publisher accepts too are facts, where they have a name and the subject is asked about."""
    rows, _ = facts(clone, "en")
    assert [row["fact"] for row in rows] == ["u1", "u3", "P37|Q39|Q150", "P37|Q39|Q188"]
    (clone / "data/mTRExf_multi_rel.txt").unlink()
    assert [row["fact"] for row in facts(clone, "en")[0]] == ["u1", "u3"]


def test_aliases_without_the_label(clone):
    """Each row has its object's other names, none if need be; a language without a file has no such column."""
    rows, _ = facts(clone, "fr")
    assert [row["aliases"] for row in rows] == [["Roma", "la Ville éternelle"], [], []]
    assert "aliases" not in facts(clone, "en")[0][0]


def test_templates(clone):
    source, problems = XFactr(clone), Problems()
    assert source.languages() == ["en", "fr", "mg", "ru"]
    assert source.templates("fr", problems) == [
        Template("P36", "fr", "La capitale [X] est [Y] .", "human, inflection markup reduced"),
        Template("P37", "fr", "[X] est né [Y] .", "human, inflection markup reduced"),
    ]
    assert [t.made for t in source.templates("en", problems)] == ["human", "human"]
    assert source.templates("ru", problems)[1].text == 'Язык " [X] " — [Y] .'
    assert not problems.found
    assert source.templates("mg", problems) == []  # an empty cell is no fault, the publisher's [Y] … [Y] is one
    assert [(p.line, p.message) for p in problems.found] == [
        (3, "P37 in mg: template '[Y] dia [Y] .' has no [X] and has 2 [Y]; expected exactly one [X] and one [Y]")
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("[X]の公用語は[Y]である。", "[X]の公用語は[Y]である。"),
        ("[X]  is [Y]", "[X]  is [Y]"),
        ("[DEF;X] [X.Nom] πήρε το όνομά [DEF.Gen;X] από [DEF;Y] [Y.Acc] .", "[X] πήρε το όνομά από [Y] ."),
        ("[X] [Y.IN+ESS] született .", "[X] [Y] született ."),
        ("[X.Gen] resmi dili [Y;be] .", "[X] resmi dili [Y] ."),
        ("[X.Masc.Nom] — [DEF;Y.Fem] [Y.NOM]", "[X] — [Y]"),
        ("[Х] [גובל;X-Gender=MASC|גובלת;X-Gender=FEM] ב[Y] .", "[X] גובל ב[Y] ."),
        ("Nagtikang an [X bad] ha [Y] .", "Nagtikang an [X] ha [Y] ."),
        ("[X] [human: একজন ; non-human: একটি] [Y] ।", "[X] একজন [Y] ।"),
        ("[X] est [situé;X-Gender=MASC|;située;X-Gender=FEM] en [Y] .", "[X] est situé en [Y] ."),
        ("[Y] a [participé;Y-Gender=MASC;participée;Y-Gender=FEM] [PREPDEF-à;X] [X] .", "[Y] a participé [X] ."),
        ("[X] es [ART;X-Gender] [miembro;X-Gender=MASC|miembra;X-Gender=FEM] de [Y] .", "[X] es miembro de [Y] ."),
        ("[X] [βρίσκεται;X-Number=SG|βρίσκονται;X-Number=PL] [PREPDEF;Y] [Y.Acc] .", "[X] βρίσκεται [Y] ."),
    ],
)
def test_markup_reduced(cell, text):
    """Cells of the published table: case goes, articles go, the first of several forms stays."""
    assert reduced(cell) == text


def test_bad_rows(clone):
    """A fact without an identifier and a torn table row are named; the others are read."""
    with open(clone / "data/mTRExf/sub/P36.jsonl", "a") as file:
        file.write('{"uuid": "u9", "predicate_id": "P36", "sub_uri": "Q38"}\n')
    with open(clone / "data/mTRExf_multi_rel.txt", "a") as file:
        file.write("Q38 P37 Q150\n")
    rows, found = facts(clone, "fr")
    assert len(rows) == 3
    assert found == [
        (3, "lacks one of uuid, predicate_id, sub_uri, obj_uri"),
        (3, "has 1 columns, expected subject, relation, objects"),
    ]


@pytest.mark.parametrize("name", ["mTRExf/sub/P36.jsonl", "mTRExf_unicode_escape.txt", "TREx_prompts.csv"])
def test_folder_that_is_no_clone(clone, name):
    for file in (clone / "data/mTRExf/sub").iterdir() if "sub" in name else [clone / "data" / name]:
        file.unlink()
    if "sub" in name:
        (clone / "data/mTRExf/sub").rmdir()
    with pytest.raises(FactrootsError, match="expected a clone of jzbjyb/X-FACTR"):
        XFactr(clone)


def test_a_table_of_prompts_without_its_head(clone):
    (clone / "data/TREx_prompts.csv").write_text("relation,en\nP36,[X] is [Y]\n")
    with pytest.raises(FactrootsError, match="TREx_prompts.csv:1: the header is"):
        XFactr(clone).languages()


def test_as_a_fact_set(clone):
    """The source opens by name, and `--gold any` finds every right answer of a subject."""
    opened = FactSet.parse(f"xfactr:{clone}(langs=fr;en,gold=any)").open()
    right = [row["object"] for row in opened.whole("en").to_pylist() if row["subject_uri"] == "Q39"]
    assert right == ["Italian", "French", "German"]
    opened.need_questions()
