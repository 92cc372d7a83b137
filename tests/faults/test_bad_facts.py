"""Faulty fact files: every fault is named by file and line at once, and --skip-bad goes on without them."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from data_builders.cli import group
from data_builders.errors import FactrootsError
from data_builders.factset import FactSet

HALF = '{"sub_uri": "Q38", "obj_uri": "Q220", "sub_label": "It'


def fact(number: int, **changes) -> dict:
    row = {
        "sub_uri": f"Q{number}",
        "obj_uri": "Q9",
        "sub_label": f"soggetto {number}",
        "obj_label": "x",
        "uuid": f"u{number}",
    }
    return {**row, **changes}


@pytest.fixture
def mlama(write_jsonl, tmp_path):
    """Three files with a fault of every kind, a template without its slot, and a language that has no templates."""
    no_label = fact(4)
    del no_label["obj_label"]
    write_jsonl("set/it/P19.jsonl", fact(1), fact(2), HALF)
    write_jsonl(
        "set/it/P36.jsonl",
        fact(3),
        '{"sub_uri": }\n',
        "\n",
        no_label,
        fact(5, obj_label="  "),
        fact(6, sub_label=6),
        "[1]\n",
        fact(1),
        fact(7, obj_label="\ud800"),
        fact(8),
    )
    (tmp_path / "set/it/P9.jsonl").write_bytes(json.dumps(fact(9)).encode() + b'\n{"sub_uri": "\xff"}\n')
    write_jsonl("set/it/templates.jsonl", {"relation": "P36", "template": "[X] senza"})
    write_jsonl("set/af/P36.jsonl", fact(3))
    return tmp_path / "set"


EXPECTED = [
    ("af/templates.jsonl", 0, "no such file"),
    ("it/P19.jsonl", 3, "the file ends in the middle of this line"),
    ("it/P36.jsonl", 2, "is not JSON: Expecting value at character 13"),
    ("it/P36.jsonl", 4, "has no obj_label"),
    ("it/P36.jsonl", 5, "obj_label is blank"),
    ("it/P36.jsonl", 6, "sub_label is int, expected text"),
    ("it/P36.jsonl", 7, "is not a JSON object"),
    ("it/P36.jsonl", 8, "fact 'u1' stands already at P19.jsonl:1"),
    ("it/P36.jsonl", 9, "holds '\\ud800', which is no character"),
    ("it/P9.jsonl", 2, "is not UTF-8 at byte 14"),
    ("it/templates.jsonl", 1, "has no [Y]"),
]


def test_all_problems_at_once(mlama):
    with pytest.raises(FactrootsError, match="11 bad rows; mend them or pass --skip-bad") as caught:
        FactSet.parse(f"mlama:{mlama}").open()
    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == len(EXPECTED)
    for line, (file, number, message) in zip(lines, EXPECTED, strict=True):
        assert line.startswith(f"  {mlama / file}:{number}: " if number else f"  {mlama / file}: ")
        assert message in line


def test_skip_bad_goes_on_and_counts(mlama):
    opened = FactSet.parse(f"mlama:{mlama}").open(skip_bad=True)
    assert opened.table("it")["fact"].to_pylist() == ["u1", "u2", "u3", "u8", "u9"]
    assert opened.table("af")["fact"].to_pylist() == ["u3"]
    assert opened.templates("it") == []
    assert len(opened.problems.found) == len(EXPECTED)


def test_validate_lists_them_and_says_so(mlama):
    done = CliRunner().invoke(group, ["validate", f"mlama:{mlama}", "--json"])
    assert done.exit_code == 1
    assert [(p["file"], p["line"]) for p in json.loads(done.output)] == [(str(mlama / f), n) for f, n, _ in EXPECTED]
    shown = CliRunner().invoke(group, ["validate", f"mlama:{mlama}"])
    assert f"{mlama}/it/P36.jsonl:5: obj_label is blank" in shown.output
    assert "11 problems" in shown.output


def test_show_counts_what_it_left_out(mlama):
    assert isinstance(CliRunner().invoke(group, ["show", f"mlama:{mlama}"]).exception, FactrootsError)
    done = CliRunner().invoke(group, ["show", f"mlama:{mlama}", "--skip-bad", "--json"])
    assert "left out: 11 bad rows" in done.stderr
    summary = json.loads(done.stdout)
    assert (summary["facts"], summary["distinct"], summary["bad_rows"]) == (6, 5, 11)
    assert summary["languages"]["it"]["relations"] == {"P19": 2, "P36": 2, "P9": 1}


def test_sound_set(write_jsonl, tmp_path):
    write_jsonl("en/P36.jsonl", fact(1))
    write_jsonl("en/templates.jsonl", {"relation": "P36", "template": "[X] [Y]"})
    done = CliRunner().invoke(group, ["validate", f"mlama:{tmp_path}"])
    assert (done.exit_code, done.output) == (0, "0 problems\n")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_truncated_parquet_is_one_problem(write_jsonl, tmp_path, keep):
    rows = [
        {"relation": "P36", "subject_uri": f"Q{i}", "object_uri": "o", "subject": f"s{i}", "object": "x"}
        for i in range(500)
    ]
    path = tmp_path / "facts-it.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    write_jsonl("templates.jsonl", {"relation": "P36", "lang": "it", "template": "[X] [Y]"})
    with pytest.raises(FactrootsError, match="(?s)1 bad row; .*is no whole Parquet file of facts") as caught:
        FactSet.parse(f"facts:{tmp_path}").open()
    assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) == 2
    opened = FactSet.parse(f"facts:{tmp_path}").open(skip_bad=True)
    assert len(opened.table("it")) == 0


def test_parquet_with_a_broken_page(tmp_path):
    path = tmp_path / "facts-it.parquet"
    rows = [
        {"relation": "P36", "subject_uri": f"Q{i}", "object_uri": "o", "subject": f"s{i}", "object": "x"}
        for i in range(500)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    content = bytearray(path.read_bytes())
    content[8:400] = b"\xff" * 392
    path.write_bytes(content)
    with pytest.raises(FactrootsError, match="is no whole Parquet file of facts"):
        FactSet.parse(f"facts:{tmp_path}").open()


def test_missing_folder(tmp_path):
    with pytest.raises(FactrootsError, match="no such folder"):
        FactSet.parse(f"mlama:{tmp_path}/none").open()
