"""``probe geometry axes`` on fits in which it is known what lies where."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from planted_fits import LANGS, PLACES, WIDTH, planted, write_fits
from safetensors.numpy import load_file

from data_builders.errors import FactrootsError
from probe.commands.geometry.axes import axes


def run(folder, *words):
    return CliRunner().invoke(axes, ["--fits", str(folder), "--quiet", *words], catch_exceptions=False)


def told(folder, *words):
    done = run(folder, "--json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def layer(record, kind, number):
    own = next(one for one in record["kinds"] if one["kind"] == kind)
    return next(one for one in own["layers"] if one["layer"] == number)


def tagged(seed=0):
    """States whose nouns and verbs differ along dimension 8, and the tags of two languages of three."""
    states, generator = planted(seed), np.random.default_rng(seed + 1)
    tags = {lang: generator.choice([7, 15], size=states[lang]["fit"].shape[1]) for lang in LANGS[:2]}
    for lang, own in tags.items():
        states[lang]["fit"][..., 8] += np.where(own == 7, 1, -1)
    return states, tags


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("planted")
    write_fits(path, *tagged())
    return path


def test_planted_axes(folder):
    """Languages lie along dimension 0, places along 11, parts of speech along 8; none has anything of another's."""
    record = told(folder)
    assert record["middle"] == 1
    assert {one["kind"]: one["langs"] for one in record["kinds"]} == {
        "language": list(LANGS), "position": list(LANGS), "pos": list(LANGS[:2])
    }  # fmt: skip
    made = next(p for p in folder.glob("axes-*") if json.loads((p / "axes.json").read_text()) == record)
    directions = load_file(made / "axes.safetensors")
    for kind, dimension in (("language", 0), ("position", 11), ("pos", 8)):
        for number in (1, 2):
            own, first = layer(record, kind, number), directions[f"{kind}.{number}"][0]
            assert np.abs(first[dimension]) == pytest.approx(1, abs=0.02)
            assert own["axes"][0]["of_between"] > 0.98
            if kind != "language":
                assert own["axes"][0]["language_explained"] < 0.01
                assert own["axes"][0]["language"] < 0.02
    places = {one["name"]: one["at"][0] for one in layer(record, "position", 1)["points"] if one["lang"] == "xb"}
    steps = np.diff([places[str(place)] for place in PLACES])
    assert np.abs(steps) == pytest.approx(np.full(3, 2), abs=0.2)
    assert np.sign(steps).tolist() in ([1, 1, 1], [-1, -1, -1])


def test_language_means_and_their_spread(folder):
    points = layer(told(folder, "--classes", "language"), "language", 1)["points"]
    at = np.array([point["at"][0] for point in points])
    assert np.abs(at - at[::-1]) == pytest.approx([3, 0, 3], abs=0.2)
    assert at.sum() == pytest.approx(0, abs=1e-9)  # the origin is the mean of the means
    assert [point["spread"][0][0] for point in points] == pytest.approx([1, 1.5**2, 4], rel=0.15)


def test_axes_through_layers(folder):
    """The same axis at layers 1 and 2; the second of three languages is on it, so that the other axis is chance."""
    record = told(folder, "--classes", "language,position")
    for kind in ("language", "position"):
        own = layer(record, kind, 1)["stable"]
        assert own["angle"] == pytest.approx(0, abs=1e-4)
        assert own["held"] == own["own"]
        there = layer(record, kind, 2)["stable"]
        assert there["held"] > 0.95
        assert there["random"] == pytest.approx(len(layer(record, kind, 2)["points"][0]["at"]) / WIDTH)
        assert (there["floor"] is None) == (kind == "position")


def test_axes_of_the_other_languages(folder):
    """Places lie alike in all languages, so that what two of them have holds in the third."""
    for one in layer(told(folder, "--classes", "position"), "position", 1)["transfer"]:
        assert one["others"] > 0.97
        assert one["all"] == pytest.approx(one["others"], abs=0.02)


def test_axes_of_its_own(tmp_path):
    """Where one language has places along another dimension, the others' axes do not hold them."""
    states = planted()
    for part, own in states["xc"].items():
        states["xc"][part] = own[..., [*range(9), 11, 10, 9]]
    write_fits(tmp_path, states)
    found = {one["lang"]: one for one in layer(told(tmp_path, "--classes", "position"), "position", 1)["transfer"]}
    assert found["xc"]["others"] < 0.1 < 0.3 < found["xc"]["all"]


def test_languages_that_do_not_differ(tmp_path):
    """Null control: nothing is found on one part of the text that is there on the other."""
    states = planted(4, apart=0)
    for i, lang in enumerate(LANGS):
        for own in states[lang].values():
            own[..., 0] /= 1 + 0.5 * i
    write_fits(tmp_path, states)
    own = layer(told(tmp_path, "--classes", "language"), "language", 1)
    assert own["between"] < 0.001
    assert max(axis["explained"] for axis in own["axes"]) < 0.002
    assert own["stable"]["floor"] > 30


def test_same_bytes_and_a_second_time(folder):
    words = "--langs", "xa,xc"
    whole = told(folder, *words)
    made = next(p for p in folder.glob("axes-*") if json.loads((p / "axes.json").read_text()) == whole)
    before = {path.name: path.read_bytes() for path in made.iterdir() if path.name != ".lock"}
    for path in made.iterdir():
        if path.name not in (".language-00.json", ".position-02.json"):
            path.unlink()
    assert told(folder, *words) == whole
    assert {path.name: path.read_bytes() for path in made.iterdir() if path.name != ".lock"} == before
    rows = pq.read_table(made / "axes.parquet").to_pylist()
    assert len(rows) == sum(len(own["axes"]) for kind in whole["kinds"] for own in kind["layers"])
    assert {row["kind"] for row in rows} == {"language", "position", "pos"}


def test_table(folder):
    done = run(folder, "--layers", "1-2")
    for part in ("axes of languages, in xa xb xc", "languages on the axes of positions", "parts of speech", "found on"):
        assert part in done.output


def test_a_layer_without_axes(tmp_path):
    """Said of that layer, while the others have theirs; an error where it is all that was asked for."""
    states = planted()
    for part in ("fit", "again"):
        for i, lang in enumerate(LANGS):
            states[lang][part][2, :, 4] = i
    write_fits(tmp_path, states)
    done = run(tmp_path, "--classes", "language")
    assert "no axes of languages at layer 2: 1 of 12 directions do not vary within the classes" in done.output
    assert layer(told(tmp_path, "--classes", "language"), "language", 1)["axes"]
    with pytest.raises(FactrootsError, match="language at layer 2: 1 of 12 directions do not vary"):
        run(tmp_path, "--classes", "language", "--layers", "2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--langs", "xa,ja"), "there is no ja for --langs"),
        (("--classes", "gender"), "there is no gender for --classes; there are: language, position, pos"),
        (("--classes", "language", "--langs", "xa"), "tokens of 1 class only"),
        (("--classes", "pos", "--langs", "xc"), "no parts of speech"),
        (("--layers", "3"), "there is no 3 for --layers"),
    ],
)
def test_mistakes(folder, words, message):
    with pytest.raises(FactrootsError, match=message):
        run(folder, *words)


def test_one_language(folder):
    """No axes of languages then, and none of other languages; what can be told is told."""
    record = told(folder, "--langs", "xa")
    assert [one["kind"] for one in record["kinds"]] == ["position", "pos"]
    assert layer(record, "position", 1)["transfer"] == []
    assert layer(record, "position", 1)["axes"][0]["language"] is None
    assert "languages on the axes" not in run(folder, "--langs", "xa").output


def test_too_few_tokens_without_a_language(tmp_path):
    """All languages together have axes of places where those of the others alone have not."""
    states = planted(n=12)
    write_fits(tmp_path, {lang: states[lang] for lang in LANGS[:2]})
    own = layer(told(tmp_path, "--classes", "position"), "position", 1)
    assert own["axes"]
    assert [one["others"] for one in own["transfer"]] == [None, None]
    assert run(tmp_path, "--classes", "position").exit_code == 0
