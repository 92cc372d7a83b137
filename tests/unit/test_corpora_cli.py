"""``probe corpus``: what a user sees."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from corpora_fixtures import dump, page

from data_builders.corpora.cli import group
from data_builders.errors import FactrootsError


def run(*args) -> str:
    done = CliRunner().invoke(group, [str(arg) for arg in args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    text = "'''Roma''' è [[Italia|italiana]]. Bella.\n\n== Storia ==\nAntica e grande."
    pages = page(1, "Roma", text), page(2, "Urbe", "", redirect="Roma"), page(3, "Po", "Fiume {{x"), page(4, "No", "")
    (tmp_path / "itwiki-1-pages-articles.xml").write_text(dump(*pages))
    (tmp_path / "afwiki-1-pages-articles.xml").write_text(dump(page(1, "Rome", "Rome is groot.")))
    return tmp_path


def test_build_show_and_sizes(folder):
    out = run("build", f"dump:{folder}", folder / "c", "--quiet")
    line = "it  2 documents, 4 sentences, 44 bytes; left out or mended: redirects 1, pages with broken markup 1, "
    assert out.splitlines() == ["af  1 documents, 1 sentences, 14 bytes", line + "documents without text 1"]
    assert run("show", folder / "c").splitlines() == ["dump: 2 languages", *out.splitlines()]
    about = json.loads(run("show", folder / "c", "--json"))
    assert about["languages"]["it"]["faults"] == {"empty": 1, "markup": 1, "redirect": 1}
    assert run("show", folder / "c", "--lang", "it", "--head", 1) == "0 Roma 0.0\tRoma è italiana.\n"
    assert run("show", folder / "c", "--lang", "it", "--document", 1) == "1 Po 0.0\tFiume\n"
    row = json.loads(run("show", folder / "c", "--lang", "it", "--document", 1, "--json"))
    place = {"document": 1, "paragraph": 0, "sentence": 0, "lead": True}
    assert row == {"id": "3", "title": "Po", "qid": None, **place, "text": "Fiume"}
    expected = {"af": (1, 14, 14), "it": (2, 44, 28)}
    for corpus in (folder / "c", f"dump:{folder}"):
        sizes = json.loads(run("sizes", corpus, "--json"))
        spaces = corpus != folder / "c"  # one between two sentences of a paragraph, in its lead
        found = {lang: (s["documents"], s["bytes"], s["lead"]) for lang, s in sizes.items()}
        assert found == {"af": expected["af"], "it": tuple(n + spaces * (n > 2) for n in expected["it"])}
    assert run("sizes", folder / "c").split()[4:8] == ["af", "1", "14", "14"]


def test_only_some_languages_and_progress(folder):
    done = CliRunner().invoke(group, ["build", f"dump:{folder}", str(folder / "c"), "--langs", "it"])
    assert done.stderr == "it …\n" and done.stdout.startswith("it  2 documents")
    assert list(json.loads(run("sizes", f"dump:{folder}", "--langs", "af", "--json"))) == ["af"]


def test_text_in_another_language_is_told(tmp_path, shared_data):
    english = (shared_data("wikipedia_sentences") / "en.txt").read_text(encoding="utf-8").splitlines()[:200]
    (tmp_path / "s").mkdir()
    for lang in ("af", "ja", "en"):
        (tmp_path / f"s/{lang}.txt").write_text("\n".join(english), encoding="utf-8")
    out = run("build", f"text:{tmp_path}/s", tmp_path / "c", "--quiet")
    warnings = [line.strip() for line in out.splitlines() if "warning" in line]
    assert warnings == [f"warning: the text of {lang} looks like en" for lang in ("af", "ja")]
    assert run("show", tmp_path / "c") == f"text: 3 languages\n{out}"


def test_show_of_what_is_not_there(folder):
    run("build", f"dump:{folder}", folder / "c", "--quiet")
    for args, message in (
        (["show", folder], "holds no built corpus .*make one with `probe corpus build`"),
        (["show", folder / "c", "--lang", "ja"], "unknown language 'ja'; there are: af, it"),
        (["show", folder / "c", "--lang", "it", "--document", "2"], "it has 2 documents, numbered from 0"),
    ):
        with pytest.raises(FactrootsError, match=message):
            run(*args)
    assert CliRunner().invoke(group, ["show", str(folder / "c"), "--head", "2"]).exit_code == 2
