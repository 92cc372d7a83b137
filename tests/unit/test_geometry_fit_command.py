"""``probe geometry fit`` and ``merge``: what they print, what they keep, what they refuse."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner
from geometry_fixtures import text, tiny
from probe_fixtures import save_model

from data_builders import lazy
from data_builders.errors import FactrootsError
from probe.commands.geometry import group
from probe.geometry.fits import Fits
from probe.geometry.fits_report import notes


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> list[str]:
    """The command, but for its --output."""
    folder = tmp_path_factory.mktemp("geometry")
    one = tiny("xlm-roberta")
    model = save_model(folder / "model", one.model, one.tokenizer)
    where = text(folder / "text", ("it", "ja"))
    text(where, ("af",), lines=60)
    return ["fit", "--model", str(model), "--text", str(where), "--length", "24", "--test", "4", "--quiet"]


def run(*words: str) -> str:
    """What a command prints; a user's mistake is raised."""
    done = CliRunner().invoke(group.geometry, words)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_prints_k_by_layer_and_keeps_fits(words, tmp_path):
    said = run(*words, "--sequences", "6", "--output", str(tmp_path / "fits"))
    fits = Fits.open(tmp_path / "fits")
    assert fits.langs == ("af", "it", "ja") and fits.about.number == 6
    assert "Axes that hold 90% of the variance, of 16; 144 tokens a language" in said
    rows = [line.split() for line in said.splitlines() if line.split()[:1] in (["0"], ["1"], ["2"])]
    for row in rows:
        assert row[1:4] == [str(fits.subspace(lang, int(row[0])).k()) for lang in fits.langs]
    assert len(rows) == 3 and "9.0 tokens a dimension are few: k comes out too low" in said
    assert "no parts of speech, for want of a spaCy pipeline with a tagger: af, it, ja" in said
    assert f"kept in {tmp_path / 'fits'}: fits.json" in said.replace("\n", "")


def test_json(words, tmp_path):
    options = ["--langs", "ja,it", "--sequences", "6", "--variance", "0.5", "--no-specials", "--json"]
    made = json.loads(run(*words, *options, "--output", str(tmp_path)))
    fits = Fits.open(tmp_path)
    assert made["fits"] == fits.about.model_dump() and made["folder"] == str(tmp_path)
    assert fits.langs == ("ja", "it") and fits.about.specials is False
    assert [(row["lang"], row["layer"]) for row in made["rows"]] == [(x, i) for i in range(3) for x in ("ja", "it")]
    row, own = made["rows"][-1], fits.subspace("it", 2)
    assert (row["k"], row["n"], row["top"]) == (own.k(0.5), own.n, own.shares[0]) and row["n"] < 144


def test_the_poorest_is_named(words, tmp_path):
    said = run(*words, "--sequences", "100", "--output", str(tmp_path))
    about = Fits.open(tmp_path).about
    assert about.languages["af"].whole < 204 and about.number < 50
    assert f"af has text for {about.languages['af'].whole} sequences of 24 tokens, which decides for all" in said


def test_outliers_are_named(words, tmp_path):
    """One dimension's LayerNorm weight is twenty times as large."""
    one = tiny("xlm-roberta")
    one.model.roberta.encoder.layer[1].output.LayerNorm.weight.data.fill_(1)[5] = 20
    model = save_model(tmp_path / "model", one.model, one.tokenizer)
    said = run("fit", "--model", str(model), *words[3:], "--sequences", "6", "--output", str(tmp_path / "fits"))
    (row,) = (line for line in said.splitlines() if line.split()[:1] == ["2"])
    assert row.split()[5] == "5" and row.split()[6].startswith("(9")


def test_a_default_folder_says_what_it_is(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(*words, "--sequences", "6", "--langs", "it")
    run(*words, "--sequences", "6", "--langs", "it", "--seed", "1")
    folders = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(folders) == 2 and all(name.startswith("model-geometry-") for name in folders)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--variance", "1.5"], "--variance takes a share above 0 and up to 1, as 0.9, got 1.5"),
        (["--length", "999"], "--length takes 2 to 48 tokens"),
        (["--langs", "it,de"], "unknown language 'de'; there are: af, it, ja"),
        (["--layers-at", "roberta.blocks"], "--layers-at roberta.blocks: "),
        (["--text", "nowhere"], "--text nowhere: no file nowhere/{lang}.txt"),
    ],
)
def test_mistakes_are_one_line(words, tmp_path, options, message):
    with pytest.raises(FactrootsError) as fault:
        run(*words, *options, "--output", str(tmp_path / "fits"))
    assert message in str(fault.value) and "\n" not in str(fault.value)
    assert not (tmp_path / "fits" / "fits.json").exists()


def test_text_has_to_be_said(words):
    with pytest.raises(FactrootsError, match="say with --text what to fit it to"):
        run(*words[:3])


def test_merge(words, tmp_path):
    for number in (1, 2):
        where = text(tmp_path / f"text{number}", lines=200, seed=number)
        run(*words[:3], "--text", str(where), *words[5:], "--sequences", "7", "--output", str(tmp_path / f"{number}"))
    said = run("merge", str(tmp_path / "1"), str(tmp_path / "2"), "--output", str(tmp_path / "both"))
    assert said == f"{tmp_path / 'both'}: 14 sequences a language, of it, ja; 8 to test\n"
    assert Fits.open(tmp_path / "both").moments("it", 1).n == 14 * 24
    with pytest.raises(FactrootsError, match="two folders of fits or more"):
        run("merge", str(tmp_path / "1"), "--output", str(tmp_path / "one"))


def test_notes_of_what_came_again(words, tmp_path):
    where = text(tmp_path / "text", ("it",))
    own = (where / "it.txt").read_text()
    (where / "it.txt").write_text(own.splitlines()[0] + "\n" + own)
    run(*words[:3], "--text", str(where), *words[5:], "--sequences", "7", "--output", str(tmp_path / "fits"))
    about = Fits.open(tmp_path / "fits").about
    row = {"layer": 3, "n": 10**6, "top": 0.2}
    assert "lines that came again and were left out: it 1" in notes(about, [row], 7)
    assert not any("few" in note or "axis" in note for note in notes(about, [row], 7))


@pytest.mark.parametrize(("specials", "why"), [(True, "compare with --no-specials"), (False, "are not why")])
def test_an_axis_that_hides_the_others(words, tmp_path, specials, why):
    run(*words, "--sequences", "6", *([] if specials else ["--no-specials"]), "--output", str(tmp_path))
    rows = [{"layer": layer, "n": 10**6, "top": top} for layer, top in enumerate((0.2, 0.97, 0.6))]
    said = next(note for note in notes(Fits.open(tmp_path).about, rows, 6) if "axis" in note)
    assert said.startswith("one axis holds up to 97% of the variance (layer 1), where k says little") and why in said


def test_the_group(monkeypatch):
    assert all(name in run("--help") for name in group.COMMANDS)

    @click.command()
    @click.option("--model")
    def whole(model):
        click.echo(f"all of {model}")

    monkeypatch.setattr(lazy, "import_module", lambda _: type("module", (), {"whole": whole}))
    assert run("--model", "demo") == run("whole", "--model", "demo") == "all of demo\n"
    assert run() == "all of None\n"
