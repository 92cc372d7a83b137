"""Building a corpus: what is in it, that a kill changes nothing, and who may write it."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import pyarrow as pa
import pytest
from corpora_fixtures import built, contents, dump, page

from data_builders.corpora import build as building
from data_builders.corpora import parts
from data_builders.corpora.built import open_built
from data_builders.corpora.passages import DOCUMENTS, PASSAGES
from data_builders.errors import FactrootsError
from data_builders.folder import lock

NAME = "itwiki-1-pages-articles.xml"


@pytest.fixture
def wiki(tmp_path):
    """A dump of 60 articles, every sixth of them empty or broken, with redirects between."""
    texts = ["'''A{0}''' è una. È due.\n\nTre {0}.\n== T ==\nQuattro.", "{{{{x}}}}", "Uno [[due."]
    pages = [page(n, f"A{n}", texts[(n % 6 == 4) + 2 * (n % 6 == 5)].format(n)) for n in range(60)]
    pages += [page(100 + n, f"R{n}", "", redirect="A1") for n in range(5)]
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / NAME).write_text(dump(*pages[:30], *pages[60:], *pages[30:60]))
    return f"dump:{tmp_path}/d"


def test_what_is_in_it(wiki, tmp_path):
    about = built(wiki, tmp_path / "c")
    corpus = open_built(tmp_path / "c")
    documents, passages = corpus.documents("it"), pa.Table.from_batches(corpus.blocks("it"))
    assert (documents.schema, passages.schema) == (DOCUMENTS, PASSAGES)
    assert corpus.langs == ("it",)
    assert documents["title"].to_pylist() == [f"A{n}" for n in range(60) if n % 6 != 4]
    rows = [tuple(row.values()) for row in passages.to_pylist() if row["document"] == 1]
    assert rows == [
        (1, 0, 0, True, "A1 è una."),
        (1, 0, 1, True, "È due."),
        (1, 1, 0, True, "Tre 1."),
        (1, 2, 0, False, "Quattro."),
    ]
    lead, total = len("A1 è una.È due.Tre 1.".encode()), len("A1 è una.È due.Tre 1.Quattro.".encode())
    assert documents.slice(1, 1).to_pylist()[0] == {"id": "1", "title": "A1", "qid": None, "lead": lead, "bytes": total}
    it = about["languages"]["it"]
    assert it["faults"] == {"empty": 10, "markup": 10, "redirect": 5}
    assert (it["documents"], it["sentences"], it["partial"], it["looks_like"]) == (50, 170, False, None)
    assert (it["bytes"], it["lead"]) == (sum(documents["bytes"].to_pylist()), sum(documents["lead"].to_pylist()))
    assert it["places"]["markup"][0] == f"{NAME}: A5: [[ without its end" and len(it["places"]["markup"]) == 5
    assert about["source"] == "dump" and str(tmp_path) not in (tmp_path / "c/corpus.json").read_text()


def test_blocks_are_bounded_and_choose_columns(wiki, tmp_path):
    built(wiki, tmp_path / "c")
    blocks = list(open_built(tmp_path / "c").blocks("it", ["text", "document"], rows=50))
    assert [len(block) for block in blocks] == [50, 50, 50, 20]
    assert set(blocks[0].schema.names) == {"text", "document"}


@pytest.mark.parametrize("stop", [0, 1, 4, 20, 33, 59])
def test_an_interrupted_build_goes_on_to_the_same_bytes(wiki, tmp_path, monkeypatch, stop):
    built(wiki, tmp_path / "whole")
    monkeypatch.setattr(building, "_PART", 200)  # several parts even here
    cls = building.open_source(wiki).reader.__class__
    made, original = [], cls.document

    def document(self, row, faults):
        if len(made) == stop and "again" not in made:
            raise KeyboardInterrupt
        made.append(row.title)
        return original(self, row, faults)

    monkeypatch.setattr(cls, "document", document)
    with pytest.raises(KeyboardInterrupt):
        built(wiki, tmp_path / "c")
    with pytest.raises(FactrootsError, match=r"is not finished \(it missing\); the same `probe corpus build` goes on"):
        open_built(tmp_path / "c")
    made[:] = ["again"]
    built(wiki, tmp_path / "c")
    assert contents(tmp_path / "c") == contents(tmp_path / "whole")
    assert len(made) - 1 <= 60 - stop + 6  # what was kept is not made again
    assert not list((tmp_path / "c").glob(".*parts"))
    made.clear()
    built(wiki, tmp_path / "c")
    assert not made and contents(tmp_path / "c") == contents(tmp_path / "whole")


def test_a_killed_process_leaves_nothing_in_the_way(wiki, tmp_path):
    code = (
        "import os, sys\nfrom data_builders import progress\nfrom data_builders.corpora import build, parts\n"
        "build._PART = 200\nadd = parts.Parts.add\n"
        "def killed(self, documents, passages, done):\n"
        "    add(self, documents, passages, done) if done.parts < 3 else os.kill(os.getpid(), 9)\n"
        "parts.Parts.add = killed\nbuild.build(sys.argv[1], None, sys.argv[2], progress.Quiet())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, wiki, str(tmp_path / "c")], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert len(list((tmp_path / "c/.it.parts").glob("0*.json"))) == 2
    built(wiki, tmp_path / "c")
    built(wiki, tmp_path / "whole")
    assert contents(tmp_path / "c") == contents(tmp_path / "whole")


def test_row_groups_do_not_depend_on_parts(wiki, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "_ROWS", 16)
    built(wiki, tmp_path / "one")
    monkeypatch.setattr(building, "_PART", 100)
    built(wiki, tmp_path / "many")
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_the_hash_is_of_the_content(tmp_path):
    hashes = []
    for name, line in (("a", "Una cosa."), ("b", "Una  cosa. "), ("c", "Una cosa!")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "it.txt").write_text(line)
        built(f"text:{tmp_path}/{name}", tmp_path / f"built-{name}")
        hashes.append(open_built(tmp_path / f"built-{name}").sha256("it"))
    assert hashes[0] == hashes[1] != hashes[2]


def test_languages_are_added_and_other_sources_refused(tmp_path):
    for lang, text in (("it", "Una."), ("af", "Een.")):
        (tmp_path / "s").mkdir(exist_ok=True)
        (tmp_path / f"s/{lang}.txt").write_text(text)
    built(f"text:{tmp_path}/s", tmp_path / "c", ["it"])
    before = contents(tmp_path / "c")
    built(f"text:{tmp_path}/s", tmp_path / "c", ["af"])
    assert open_built(tmp_path / "c").langs == ("af", "it")
    assert {k: v for k, v in contents(tmp_path / "c").items() if k in before and k != "corpus.json"} == {
        k: v for k, v in before.items() if k != "corpus.json"
    }
    with pytest.raises(FactrootsError, match=r"holds another corpus \(text\); name another folder"):
        built(f"text:{tmp_path}/s(line=paragraph)", tmp_path / "c")
    (tmp_path / "s/it.txt").write_text("Due.")
    with pytest.raises(FactrootsError, match="holds it of other files"):
        built(f"text:{tmp_path}/s", tmp_path / "c", ["it"])


def test_one_writer_at_a_time(wiki, tmp_path):
    with lock(tmp_path / "c"), pytest.raises(FactrootsError, match="process .* is writing"):
        built(wiki, tmp_path / "c")


def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_PART", 100_000)
    monkeypatch.setattr(parts, "_ROWS", 4096)
    peaks = []
    for times in (1, 1, 4):  # the first warms what is made once
        folder = tmp_path / f"s{len(peaks)}"
        folder.mkdir()
        lines = (f"Riga numero {n}. È una frase. " * 5 for n in range(3000 * times))
        (folder / "it.txt").write_text("\n".join(lines))
        tracemalloc.start()
        built(f"text:{folder}(line=paragraph)", tmp_path / f"c{len(peaks)}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]


def test_corpus_of_another_version(wiki, tmp_path):
    built(wiki, tmp_path / "c")
    path = tmp_path / "c/corpus.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 0}))
    for use in (lambda: open_built(tmp_path / "c"), lambda: built(wiki, tmp_path / "c")):
        with pytest.raises(FactrootsError, match="built by another version of factroots"):
            use()
