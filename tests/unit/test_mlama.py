"""mLAMA's layout, made by hand and real."""

from __future__ import annotations

from collections import Counter

import pytest

from data_builders.errors import FactrootsError, Problems
from data_builders.export import export
from data_builders.facts import COLUMNS, Template
from data_builders.mlama import MLama

PARIS = {"sub_uri": "Q142", "obj_uri": "Q90", "sub_label": "France", "obj_label": "Paris", "lineid": 0, "uuid": "u1"}
ROME = {"sub_uri": "Q38", "obj_uri": "Q220", "sub_label": "Italy", "obj_label": "Rome", "lineid": 1}
TEMPLATE = {"relation": "P36", "template": "The capital of [X] is [Y]."}


def read(path, lang="en"):
    problems = Problems()
    source = MLama(path)
    return source, source.facts(lang, problems), source.templates(lang, problems), problems.found


def test_published_layout(tmp_path, write_jsonl):
    write_jsonl("en/P36.jsonl", PARIS, ROME)
    write_jsonl("en/P19.jsonl")
    write_jsonl("en/templates.jsonl", TEMPLATE)
    write_jsonl("it/templates.jsonl", {"relation": "P36", "template": "[Y] è la capitale di [X]."})
    write_jsonl("en/.ipynb_checkpoints/P36-checkpoint.jsonl", PARIS)
    write_jsonl(".ipynb_checkpoints/P36.jsonl", PARIS)
    write_jsonl("en/notes.txt", "not facts")
    source, table, templates, found = read(tmp_path)
    assert source.languages() == ["en", "it"]
    assert tuple(table.column_names) == COLUMNS
    assert table["fact"].to_pylist() == ["u1", "P36|Q38|Q220"]
    assert table["object"].to_pylist() == ["Paris", "Rome"]
    assert templates == [Template("P36", "en", TEMPLATE["template"], "human")]
    assert source.templates("it", Problems())[0].made == "machine"
    assert len(source.facts("it", Problems())) == 0
    assert not found


def test_relations_in_order_of_their_names(tmp_path, write_jsonl):
    for relation in ("P9", "P10", "P36"):
        write_jsonl(f"en/{relation}.jsonl", {**ROME, "obj_label": f"{relation}a"}, {**PARIS, "uuid": f"{relation}-2"})
    write_jsonl("en/templates.jsonl")
    _, table, _, found = read(tmp_path)
    assert table["relation"].to_pylist() == ["P10", "P10", "P36", "P36", "P9", "P9"]
    assert table["object"].to_pylist()[:2] == ["P10a", "Paris"]
    assert not found


def test_folder_that_is_not_mlama(tmp_path, write_jsonl):
    write_jsonl("mlama1.1/en/P36.jsonl", PARIS)
    with pytest.raises(FactrootsError, match="expected .*<lang>/<relation>.jsonl"):
        MLama(tmp_path)


def test_unknown_language_lists_those_there_are(tmp_path, write_jsonl):
    write_jsonl("en/P36.jsonl", PARIS)
    with pytest.raises(FactrootsError, match="unknown language 'xx'; there are: en"):
        MLama(tmp_path).facts("xx", Problems())


#: Counts that others published or computed from the original files.
PUBLISHED = {"en": 37498, "fr": 33872, "de": 32548, "nl": 32423, "es": 31578, "it": 27648, "ja": 25356, "ru": 25335}
PUBLISHED |= {"zh": 21449, "pt": 21023, "cy": 9915, "ga": 14032, "af": 7353, "ceb": 6829, "ta": 7241, "ur": 7295}


def test_published_counts(shared_data):
    source, problems = MLama(shared_data("mlama1.1")), Problems()
    sizes, languages_of, relations = {}, Counter(), set()
    four = Counter()
    for lang in source.languages():
        table = source.facts(lang, problems)
        sizes[lang] = len(table)
        languages_of.update(table["fact"].to_pylist())
        relations.update(table["relation"].unique().to_pylist())
        if lang in ("en", "it", "ja", "af"):
            four.update(table["fact"].to_pylist())
        assert set(table["relation"].unique().to_pylist()) <= {t.relation for t in source.templates(lang, problems)}
    assert not problems.found
    assert {lang: sizes[lang] for lang in PUBLISHED} == PUBLISHED
    assert (len(sizes), sum(sizes.values()), len(languages_of), len(relations)) == (53, 843143, 37535, 43)
    assert sum(n == 53 for n in languages_of.values()) == 3071
    assert sum(n >= 40 for n in languages_of.values()) == 6947
    assert sum(n == 4 for n in four.values()) == 6957


def test_real_set_exported_and_read_again(shared_data, tmp_path):
    source, langs = MLama(shared_data("mlama1.1")), ("af", "ja", "it", "ur")
    tables = {lang: (source.facts(lang, Problems()), source.templates(lang, Problems())) for lang in langs}
    done = export(((lang, *both) for lang, both in tables.items()), tmp_path / "out", "mlama")
    assert (done.facts, done.templates, done.left_out) == (7353 + 25356 + 27648 + 7295, 4 * 49, 0)
    again = MLama(tmp_path / "out")
    for lang, (table, templates) in tables.items():
        assert again.facts(lang, Problems()).equals(table)
        assert again.templates(lang, Problems()) == templates
