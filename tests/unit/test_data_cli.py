"""``probe data`` as a user meets it; fetch and validate are tested with what they do."""

from __future__ import annotations

import json
import subprocess
import sys

from click.testing import CliRunner

from data_builders.cli import group
from data_builders.errors import FactrootsError
from data_builders.sources import SOURCES


def run(*args):
    done = CliRunner().invoke(group, [str(a) for a in args])
    assert done.exit_code == 0, done.output
    return done


def test_list_names_every_source():
    listed = json.loads(run("list", "--json").stdout)
    assert [row["spec"].removesuffix(":DIR") for row in listed] == sorted(SOURCES)
    assert all(row["summary"] and row["licence"] for row in listed)
    assert all(row["spec"] in run("list").stdout for row in listed)


def test_show_counts_by_language_and_relation(write_jsonl, tmp_path):
    for lang, label in (("en", "Rome"), ("it", "Roma")):
        fact = {"relation": "P36", "subject_uri": "Q38", "object_uri": "Q220", "subject": "s", "object": label}
        write_jsonl(f"facts-{lang}.jsonl", fact, {**fact, "relation": "[red]P19", "object_uri": lang})
    rows = [{"relation": "P36", "lang": "it", "template": t, "made": "human"} for t in ("[X] [Y]", "[Y] [X]")]
    write_jsonl("templates.jsonl", *rows)
    summary = json.loads(run("show", f"facts:{tmp_path}", "--json").stdout)
    assert (summary["facts"], summary["distinct"]) == (4, 3)
    assert summary["languages"]["it"]["relations"] == {"P36": 1, "[red]P19": 1}
    shown = run("show", f"facts:{tmp_path}(templates=all)", "--langs", "it").stdout
    assert "[red]P19" in shown and "2 human" in shown and "2 facts in 1 languages, 2 distinct" in shown
    missing = CliRunner().invoke(group, ["show", f"facts:{tmp_path}", "--langs", "it,xx"])
    assert isinstance(missing.exception, FactrootsError) and "xx" in str(missing.exception)


def test_export_filters_and_says_what_it_left_out(write_jsonl, tmp_path):
    fact = {"relation": "P36", "subject_uri": "Q38", "object_uri": "Q220", "subject": "Italia", "object": "Roma"}
    write_jsonl("in/facts-it.jsonl", fact, {**fact, "relation": "P19"})
    rows = [{"relation": "P36", "lang": "it", "template": t} for t in ("[X] [Y]", "[Y] [X]")]
    write_jsonl("in/templates.jsonl", *rows)
    done = run("export", f"facts:{tmp_path}/in(relations=P36,templates=all)", tmp_path / "out", "--format", "mlama")
    assert "1 facts and 1 templates in 1 languages" in done.stdout
    assert "left out: 1 templates" in done.stderr
    assert sorted(p.name for p in (tmp_path / "out/it").iterdir()) == ["P36.jsonl", "templates.jsonl"]


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from data_builders.cli import group; group(['--help'], standalone_mode=False);"
        "sys.exit(', '.join({'pyarrow', 'datasets', 'rich', 'torch', 'numpy'} & set(sys.modules)) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
