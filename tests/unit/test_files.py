"""Our own layout, as JSON Lines and as Parquet."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_builders.errors import FactrootsError, Problems
from data_builders.facts import COLUMNS, Template
from data_builders.files import Files

ROW = {"relation": "P36", "subject_uri": "Q38", "object_uri": "Q220", "subject": "Italia", "object": "Roma"}
TEMPLATE = {"relation": "P36", "lang": "it", "template": "[Y] è la capitale di [X].", "made": "human"}


def read(path, lang="it"):
    problems = Problems()
    return Files(path).facts(lang, problems), [(p.line, p.message) for p in problems.found]


@pytest.fixture(params=["jsonl", "parquet"])
def write(request, tmp_path, write_jsonl):
    """A function that writes rows as facts-it in either format."""

    def write(*rows):
        if request.param == "jsonl":
            write_jsonl("facts-it.jsonl", *rows)
        else:
            pq.write_table(pa.Table.from_pylist(list(rows)), tmp_path / "facts-it.parquet")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("keys", "expected"),
    [({"fact": "f", "uuid": "u"}, "f"), ({"uuid": "u"}, "u"), ({}, "P36|Q38|Q220")],
)
def test_key_of_a_fact(write, keys, expected):
    table, found = read(write({**keys, **ROW}))
    assert tuple(table.column_names) == COLUMNS
    assert table.to_pylist() == [{"fact": expected, **ROW}]
    assert not found


def test_optional_columns(write):
    extras = {
        "prompt": "[Y] è la capitale d'Italia.",
        "candidates": ["Q90", "Q220"],
        "candidate_labels": ["Parigi", "Roma"],
    }
    table, found = read(write({**ROW, **extras}))
    assert table.select(list(extras)).to_pylist() == [extras]
    assert not found


def test_aliases(write):
    """Other names of the object; a row may have none, or not say."""
    table, found = read(
        write(
            {**ROW, "fact": "1", "aliases": ["l'Urbe", "città eterna"]},
            {**ROW, "fact": "2", "aliases": []},
            {**ROW, "fact": "3", "aliases": None},
        )
    )
    assert table["aliases"].to_pylist() == [["l'Urbe", "città eterna"], [], []]
    assert tuple(table.column_names) == (*COLUMNS, "aliases")
    assert not found


@pytest.mark.parametrize("names", [[" "], [""], [None]])
def test_aliases_that_are_no_names(write, names):
    table, found = read(write({**ROW, "fact": "1", "aliases": ["Urbs"]}, {**ROW, "fact": "2", "aliases": names}))
    assert table["fact"].to_pylist() == ["1"]
    assert found == [(2, "aliases is not a list of texts")]


@pytest.mark.parametrize("names", ["Urbs", 3, {"it": "Urbs"}, [1]])
def test_aliases_that_are_no_list_of_texts(tmp_path, write_jsonl, names):
    write_jsonl("facts-it.jsonl", {**ROW, "fact": "1"}, {**ROW, "fact": "2", "aliases": names})
    assert read(tmp_path)[1] == [(2, "aliases is not a list of texts")]


def test_every_bad_row_by_number(write):
    good = {**ROW, "prompt": "[Y] è la capitale.", "candidates": ["Q220"], "candidate_labels": ["Roma"]}
    bad = [
        {**good, "fact": "1", "object": " "},
        {**good, "fact": "2", "subject": None},
        {**good, "fact": "3", "prompt": "nulla"},
        {**good, "fact": "4", "candidates": ["Q1"]},
        {**good, "fact": "5", "candidate_labels": ["Roma", "Bari"]},
        {**good, "fact": "0"},
        {**good, "fact": "6", "prompt": None},
    ]
    table, found = read(write({**good, "fact": "0"}, *bad, {**good, "fact": "7"}))
    assert table["fact"].to_pylist() == ["0", "7"]
    assert [line for line, _ in found] == [2, 3, 4, 5, 6, 7, 8]
    for (_, message), part in zip(
        found,
        ["object is blank", "no subject", "exactly one [Y]", "not among", "2 candidate_labels", ":1", "optional"],
        strict=True,
    ):
        assert part in message


def test_templates_of_one_language(tmp_path, write_jsonl):
    write_jsonl("facts-it.jsonl", ROW)
    bad = {**TEMPLATE, "template": "senza [X]"}
    write_jsonl(
        "templates.jsonl", TEMPLATE, {**TEMPLATE, "lang": "af"}, bad, TEMPLATE, {"relation": "P36", "lang": "it"}
    )
    source, problems = Files(tmp_path), Problems()
    assert source.templates("it", problems) == [Template("P36", "it", TEMPLATE["template"], "human")]
    assert source.templates("af", problems)[0].lang == "af"
    assert [(p.line, p.message.split(";")[0]) for p in problems.found] == [
        (3, "template 'senza [X]' has no [Y]"),
        (4, f"template {TEMPLATE['template']!r} stands already at line 1"),
        (5, "has no template"),
    ]


def test_parquet_without_a_column(tmp_path):
    pq.write_table(pa.table({"relation": ["P36"], "subject": ["x"]}), tmp_path / "facts-it.parquet")
    table, found = read(tmp_path)
    assert len(table) == 0
    assert found == [(0, "has no column subject_uri, object_uri, object")]


def test_parquet_as_pandas_writes_it(tmp_path):
    table = pa.Table.from_pylist([ROW])
    for kind in (pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        pq.write_table(
            table.cast(pa.schema([(name, kind) for name in table.column_names])), tmp_path / "facts-it.parquet"
        )
        assert read(tmp_path)[0]["object"].to_pylist() == ["Roma"]


def test_one_language_in_two_files(tmp_path, write_jsonl):
    write_jsonl("facts-it.jsonl", ROW)
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "facts-it.parquet")
    with pytest.raises(FactrootsError, match="facts-it.jsonl has language it already"):
        Files(tmp_path)


def test_folder_without_facts(tmp_path):
    with pytest.raises(FactrootsError, match="facts-<lang>.jsonl or .parquet"):
        Files(tmp_path)
