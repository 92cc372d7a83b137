"""What is written can be read again, and nothing half-written stays."""

from __future__ import annotations

import errno
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError, Problems
from data_builders.export import FORMATS, export
from data_builders.extras import drop_absent
from data_builders.facts import Fact, Template, from_rows
from data_builders.files import Files
from data_builders.mlama import MLama
from data_builders.rows import FULL

READERS = {"mlama": MLama, "jsonl": Files, "parquet": Files}
FACT = Fact("f1", "P36", "Q38", "Q220", "Italia", "Roma")
TEMPLATE = Template("P36", "it", "[Y] è la capitale di [X].", "human")

# Letters of any script, and what trips readers: quotes, tabs, every kind of line end, marks of direction, slots.
odd = st.sampled_from(
    ['"', "\\", "\n", "\r", "\t", "\x00", "\x85", "\u2028", "\u200f", "\u202e", "\ufeff", "[X]", "[Y]", "|", ","]
)
text = st.lists(st.one_of(st.text(max_size=8), odd), max_size=4).map("".join)
label = text.filter(lambda t: t.strip())
uris = st.tuples(label, label)
facts = st.lists(st.tuples(st.sampled_from(["P19", "P36", "data di nascita"]), uris, label, label), max_size=6)
template = (
    st.tuples(text, text, text)
    .map("[X]".join)
    .map(lambda t: t.replace("[Y]", ""))
    .filter(lambda t: t.count("[X]") == 2)
)


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=facts, made=st.sampled_from(["human", "unknown"]), sentence=template)
def test_any_text_comes_back(format_, rows, made, sentence):
    rows = [Fact(f"u{i}", r, s, o, sub, obj) for i, (r, (s, o), sub, obj) in enumerate(rows)]
    rows.sort(key=lambda fact: fact.relation)  # mLAMA's layout has a file for each
    table, templates = from_rows(rows), [Template("P36", "it", sentence.replace("[X]", "[Y]", 1), made)]
    with tempfile.TemporaryDirectory() as folder:
        export([("it", table, templates)], Path(folder) / "out", format_)
        problems, source = Problems(), READERS[format_](Path(folder) / "out")
        assert source.facts("it", problems).to_pylist() == table.to_pylist()
        assert source.templates("it", problems) == templates
        assert not problems.found


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_prompts_and_candidates_come_back(tmp_path, format_):
    extras = {"prompt": "[Y] è.", "candidates": ["Q220", "Q90"], "candidate_labels": ["Roma", "Parigi"]}
    table = FULL.empty_table().from_pylist([{**FACT._asdict(), **extras}], schema=FULL)
    assert export([("it", table, [])], tmp_path / "out", format_) == (1, 1, 0, 0)
    assert Files(tmp_path / "out").facts("it", Problems()).equals(drop_absent(table))
    with pytest.raises(FactrootsError, match="do not fit mLAMA's layout"):
        export([("it", table, [])], tmp_path / "other", "mlama")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_aliases_come_back(tmp_path, format_):
    rows = [{**FACT._asdict(), "aliases": ["Urbs", "l'Urbe"]}, {**FACT._asdict(), "fact": "f2", "aliases": []}]
    table = drop_absent(FULL.empty_table().from_pylist(rows, schema=FULL))
    export([("it", table, [])], tmp_path / "out", format_)
    assert Files(tmp_path / "out").facts("it", Problems()).equals(table)
    with pytest.raises(FactrootsError, match="aliases of their own do not fit mLAMA's layout"):
        export([("it", table, [])], tmp_path / "other", "mlama")


def test_mlama_layout_is_the_published_one(tmp_path):
    second = TEMPLATE._replace(text="[X]: [Y]")
    other = Fact("f2", "P36", "Q142", "Q90", "Francia", "Parigi")
    tables = [
        ("it", from_rows([FACT, other]), [TEMPLATE, second]),
        ("af", from_rows([other]), [TEMPLATE._replace(lang="af")]),
    ]
    assert export(tables, tmp_path / "out", "mlama") == (2, 3, 2, 1)
    lines = (tmp_path / "out/it/P36.jsonl").read_text().splitlines()
    expected = {
        "sub_uri": "Q38",
        "obj_uri": "Q220",
        "obj_label": "Roma",
        "sub_label": "Italia",
        "lineid": 0,
        "uuid": "f1",
    }
    assert list(json.loads(lines[0]).items()) == list(expected.items())
    # The publisher's readers may join languages on the line, so it is the fact's, not the file's.
    assert json.loads((tmp_path / "out/af/P36.jsonl").read_text())["lineid"] == json.loads(lines[1])["lineid"] == 1
    row = json.loads((tmp_path / "out/it/templates.jsonl").read_text())
    assert (row["relation"], row["template"]) == ("P36", TEMPLATE.text)


def test_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(FactrootsError, match="not an empty folder"):
        export([], tmp_path, "jsonl")
    with pytest.raises(FactrootsError, match="not an empty folder"):
        export([], tmp_path / "mine", "jsonl")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    export([("it", from_rows([FACT]), [TEMPLATE])], tmp_path / "out", "jsonl")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["facts-it.jsonl", "templates.jsonl"]


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_stays_of_a_failed_write(tmp_path, format_):
    def tables():
        yield "it", from_rows([FACT]), [TEMPLATE]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(FactrootsError, match="cannot write .*out: .*No space left") as caught:
        export(tables(), tmp_path / "out", format_)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format_", FORMATS)
def test_full_disk(tmp_path, format_):
    """A real full disk, where the system has a device that plays one."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    name = {"mlama": "it", "jsonl": "facts-it.jsonl", "parquet": "facts-it.parquet"}[format_]

    def tables():
        part = next(tmp_path.iterdir())
        if format_ == "mlama":
            yield "af", from_rows([FACT]), []
            (part / "af" / "P36.jsonl").unlink()
            (part / "it").symlink_to("/dev/full")
        else:
            (part / name).symlink_to("/dev/full")
        yield "it", from_rows([FACT]), []

    with pytest.raises(FactrootsError, match="cannot write .*out"):
        export(tables(), tmp_path / "out", format_)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("relation", ["../P36", "a/b", ".hidden", "templates", ""])
def test_names_that_would_leave_the_folder(tmp_path, relation):
    with pytest.raises(FactrootsError, match="cannot be part of a file's name"):
        export([("it", from_rows([FACT._replace(relation=relation)]), [])], tmp_path / "out", "mlama")
    with pytest.raises(FactrootsError, match="cannot be part of a file's name"):
        export([("../it", from_rows([FACT]), [])], tmp_path / "out", "jsonl")


def test_unknown_format(tmp_path):
    with pytest.raises(FactrootsError, match="unknown format 'csv'; there are: jsonl, mlama, parquet"):
        export([], tmp_path / "out", "csv")
