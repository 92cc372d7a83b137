"""A reading that is stopped goes on; what does not fit together is refused in one line."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from data_builders.corpora.build import build
from data_builders.corpora.built import open_built
from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.progress import Quiet
from probe.cli import main
from probe.tracing import presence, presences
from probe.tracing.matching import Matching
from probe.tracing.presences import Asking, Presences, carry_out
from probe.tracing.unit import Unit

ASKING = Asking((Unit("sentence"), Unit("window", 8, 4)), Matching())


@pytest.fixture
def corpus(tmp_path):
    """Two languages, some sentences of which state facts of the atlas."""
    (tmp_path / "text").mkdir()
    for lang, names in {"it": ("Parigi", "Francia"), "de": ("Paris", "Frankreich")}.items():
        lines = [f"{names[i % 2]} {i} {names[(i // 2) % 2]}." for i in range(40)]
        (tmp_path / "text" / f"{lang}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    build(f"text:{tmp_path / 'text'}", None, tmp_path / "corpus", Quiet())
    return tmp_path / "corpus"


@pytest.fixture(scope="module")
def data():
    return FactSet.parse("atlas(relations=P36;P1376)").open(("it", "de"))


def small_blocks(monkeypatch, kill_at: int | None = None):
    """Blocks of few passages, noted after each; the one numbered `kill_at` is never counted."""
    whole, add, calls = presence.blocks, presence.add, []

    def blocks(batches):
        return whole(part for batch in batches for part in (batch.slice(i, 7) for i in range(0, len(batch), 7)))

    def counted(*args):
        calls.append(args)
        if len(calls) == kill_at:
            raise KeyboardInterrupt
        add(*args)

    monkeypatch.setattr(presence, "blocks", blocks)
    monkeypatch.setattr(presence, "add", counted)
    monkeypatch.setattr(presences, "_SAVED", -1.0)
    return calls


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".lock"}


@pytest.mark.parametrize("kill_at", [1, 3, 8])
def test_an_interrupted_reading_goes_on_to_the_same_bytes(tmp_path, corpus, data, monkeypatch, kill_at):
    carry_out(data, open_built(corpus), ASKING, tmp_path / "undisturbed", Quiet())
    with monkeypatch.context() as patch:
        small_blocks(patch, kill_at)
        with pytest.raises(KeyboardInterrupt):
            carry_out(data, open_built(corpus), ASKING, tmp_path / "again", Quiet())
    with monkeypatch.context() as patch:
        calls = small_blocks(patch)
        carry_out(data, open_built(corpus), ASKING, tmp_path / "again", Quiet())
        assert len(calls) == 14 - (kill_at - 1)  # what was counted is not counted again
    assert files(tmp_path / "again") == files(tmp_path / "undisturbed")
    assert Presences(tmp_path / "again").table("it", ASKING.units[0])["units"].to_numpy().max() == 20


def test_a_torn_note_is_no_note(tmp_path, corpus, data, monkeypatch):
    carry_out(data, open_built(corpus), ASKING, tmp_path / "undisturbed", Quiet())
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / ".it.npz").write_bytes(b"PK\x03\x04 torn")
    carry_out(data, open_built(corpus), ASKING, tmp_path / "again", Quiet())
    assert files(tmp_path / "again") == files(tmp_path / "undisturbed")


def test_another_presence_s_folder_is_refused(tmp_path, corpus, data):
    carry_out(data, open_built(corpus), ASKING, tmp_path / "made", Quiet())
    other = Asking((Unit("article"),), Matching(fold="case"))
    with pytest.raises(FactrootsError, match=r"holds another presence \(its names, units differ\)"):
        carry_out(data, open_built(corpus), other, tmp_path / "made", Quiet())


def test_characters_and_pieces_are_not_read_at_once():
    with pytest.raises(FactrootsError, match="two readings; ask for them apart"):
        Asking((Unit("sentence"), Unit.parse("zhao2024")), Matching())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--corpus", "nowhere"], "holds no built corpus"),
        (["--corpus", "text:DIR"], "is not built yet; build it with: probe corpus build 'text:DIR' DIR"),
        (["--corpus", "CORPUS", "--langs", "ja"], "the corpus has no ja; it has: de it"),
        (["--corpus", "CORPUS", "--unit", "page"], "unknown unit 'page'"),
        (["--corpus", "CORPUS", "--names", "names(fold=no)"], "unknown fold 'no'"),
        (["--corpus", "CORPUS", "--unit", "window(512,pieces=./none)"], "./none"),
        (["--corpus", "CORPUS", "--factset", "mlama:./none"], "no such folder"),
    ],
)
def test_mistakes_are_one_line(tmp_path, corpus, words, message):
    words = [str(corpus) if word == "CORPUS" else word for word in words]
    done = CliRunner().invoke(main, ["presence", *words, "--output", str(tmp_path / "out")])
    assert done.exit_code == 2 and message in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_text_in_another_language_is_said(tmp_path):
    """Hardly a name of Japanese stands in an Italian text."""
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "ja.txt").write_text("Parigi è la capitale della Francia.\n" * 1200, encoding="utf-8")
    build(f"text:{tmp_path / 'text'}", None, tmp_path / "corpus", Quiet())
    words = ["presence", "--corpus", str(tmp_path / "corpus"), "--output", str(tmp_path / "out"), "--quiet"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and "hardly a name stands in this text; is it in ja?" in done.output


def test_what_is_not_looked_for_is_said(tmp_path, write_jsonl):
    for lang in ("it", "de"):
        rows = [{"relation": "P1", "subject_uri": f"Q{i}", "object_uri": "Q9", "subject": s, "object": "Ada"}
                for i, s in enumerate(("C", "sopra", "Roma"))]  # fmt: skip
        write_jsonl(f"mine/facts-{lang}.jsonl", *rows)
    write_jsonl("mine/templates.jsonl", {"relation": "P1", "lang": "it", "template": "[X] [Y]"})
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "it.txt").write_text("Ada vide Roma sopra C.\n", encoding="utf-8")
    build(f"text:{tmp_path / 'text'}", None, tmp_path / "corpus", Quiet())
    words = ["presence", "--factset", f"facts:{tmp_path / 'mine'}", "--corpus", str(tmp_path / "corpus")]
    done = CliRunner().invoke(main, [*words, "--output", str(tmp_path / "out"), "--quiet"])
    assert "it: not looked for are 1 facts, for a name of one letter" in done.output
    assert "it: stop-words are 1 names (sopra)" in done.output
    assert Presences(tmp_path / "out").table("it", Unit("sentence"))["units"].to_pylist() == [None, 1, 1]


def test_a_presence_reads_back(tmp_path, corpus, data):
    made = carry_out(data, open_built(corpus), ASKING, tmp_path / "made", Quiet())
    with pytest.raises(FactrootsError, match="has no unit article; it has: sentence, window"):
        made.table("it", Unit("article"))
    with pytest.raises(FactrootsError, match="holds no presence; make one with `probe presence`"):
        Presences(tmp_path / "none").read()
    assert np.all(made.shuffled("it", Unit("sentence"))["units"].to_numpy() >= 0)
