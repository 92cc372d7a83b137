"""``probe geometry distance`` on fits in which it is known what lies where."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from planted_fits import LANGS, planted, write_fits

from data_builders.errors import FactrootsError
from probe.commands.geometry.distance import distance
from probe.geometry.distance import MEASURES, riemannian
from probe.geometry.distance_results import results


def run(folder, *words):
    return CliRunner().invoke(distance, ["--fits", str(folder), "--quiet", *words], catch_exceptions=False)


def told(folder, *words):
    done = run(folder, "--json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def pairs(record, measure, layer=1):
    return {
        (pair["lang"], pair["other"]): pair
        for own in record["layers"]
        if own["layer"] == layer
        for pair in own["pairs"]
        if pair["measure"] == measure
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("planted")
    write_fits(path, planted())
    return path


def test_planted_distances(folder):
    """Standard deviations of 1, 1.5 and 2 along one dimension of twelve, and means 1.5 apart there."""
    record = told(folder)
    assert record["langs"] == list(LANGS)
    assert record["measures"] == list(MEASURES)
    assert [own["dims"] for own in record["layers"]] == [11, 12, 12]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        own = pairs(record, "riemann")[LANGS[a], LANGS[b]]
        assert own["value"] == pytest.approx(2 * np.log((1 + b / 2) / (1 + a / 2)), abs=0.1)
        assert own["low"] <= own["value"] <= own["high"]
        assert own["above"] < own["value"]
        within = np.sqrt(((1 + a / 2) ** 2 + (1 + b / 2) ** 2) / 2)
        assert pairs(record, "means")[LANGS[a], LANGS[b]]["value"] == pytest.approx(1.5 * (b - a) / within, abs=0.1)
    assert pairs(record, "angles")["xa", "xb"]["chance"] > pairs(record, "angles")["xa", "xb"]["value"]
    order = next(own["order"] for own in record["layers"][1]["maps"] if own["measure"] == "means")
    assert order.index("xb") == 1  # the one in the middle stands there


def test_values_are_those_of_covariances(folder):
    """The whitened one is the plain one; where a direction does not vary, that of all others."""
    from probe.geometry.fits import Fits

    fits, record = Fits.open(folder), told(folder, "--measure", "riemann")
    for layer, dims in ((0, np.delete(np.arange(12), 5)), (2, np.arange(12))):
        a, b = (fits.moments(lang, layer).covariance[np.ix_(dims, dims)] for lang in ("xa", "xc"))
        assert pairs(record, "riemann", layer)["xa", "xc"]["value"] == pytest.approx(riemannian(a, b), rel=1e-9)
        own = next(f for f in record["layers"][layer]["floors"] if f["lang"] == "xb")
        halves = [fits.moments("xb", layer, part).covariance[np.ix_(dims, dims)] for part in ("fit", "again")]
        assert own["value"] == pytest.approx(riemannian(*halves), rel=1e-9)


def test_independent_tokens_cost_nothing(folder):
    """These tokens are independent and normal: the floor is what such a one is, and the formula's."""
    record = told(folder, "--measure", "riemann")
    for own in record["layers"][1]["floors"]:
        assert own["closed"] == pytest.approx(np.sqrt(2 * 12 * 12 / 4_000))
        assert own["value"] == pytest.approx(own["closed"], rel=0.3)
        assert own["independent"] == pytest.approx(own["closed"], rel=0.3)


def test_tokens_that_are_alike_cost(tmp_path):
    """Each token eight times: as little is known as of an eighth of them."""
    few = planted(n=500)
    states = {lang: {part: np.repeat(x, 8, axis=1) for part, x in own.items()} for lang, own in few.items()}
    write_fits(tmp_path, states)
    costs = [own["value"] / own["independent"] for own in told(tmp_path, "--measure", "riemann")["layers"][1]["floors"]]
    assert np.mean(costs) == pytest.approx(np.sqrt(8), rel=0.2)


def test_languages_that_are_one(tmp_path):
    """Null control: what two names of one language lie apart is what each lies from itself, and nothing is above."""
    one = planted(3, langs=("a", "b"), apart=0)
    scale = np.ones(12)
    scale[0] = 1.5
    one["b"] = {part: states / scale for part, states in one["b"].items()}
    write_fits(tmp_path, one)
    for name in ("riemann", "means", "offset"):
        own = pairs(told(tmp_path), name)["a", "b"]
        assert own["value"] < 1.5 * own["floor"]


def test_same_bytes_and_a_second_time(folder):
    """The files of a run that was interrupted after its first layer are those of one that was not."""
    words = "--langs", "xa,xb", "--layers", "0-2"
    whole = told(folder, *words)
    made = next(p for p in folder.glob("distance-*") if json.loads((p / "distance.json").read_text()) == whole)
    before = {path.name: path.read_bytes() for path in made.iterdir() if path.name != ".lock"}
    for path in made.iterdir():
        if path.name != ".distance-00.json":
            path.unlink()
    assert told(folder, *words) == whole
    assert {path.name: path.read_bytes() for path in made.iterdir() if path.name != ".lock"} == before
    rows = pq.read_table(made / "distance.parquet").to_pylist()
    assert [{name: row[name] for name in row if name != "layer"} for row in rows] == [
        pair for layer in whole["layers"] for pair in layer["pairs"]
    ]


def test_table(folder):
    done = run(folder, "--measure", "riemann,angles", "--layers", "1")
    for part in ("Riemannian distance", "mean principal angle", "4,000 tokens a language", "cost", "on the diagonal"):
        assert part in done.output
    assert "means apart" not in done.output
    assert "distance.parquet" in done.output


def test_a_language_in_which_less_varies(tmp_path):
    states = planted()
    for part in states["xc"]:
        states["xc"][part][1, :, 3] = states["xc"][part][1, :, 4]
    write_fits(tmp_path, states)
    record = told(tmp_path)
    assert [own["lacking"] for own in record["layers"]] == [{}, {"xc": 1}, {}]
    assert set(pairs(record, "riemann", 1)) == {("xa", "xb")}
    assert len(pairs(record, "riemann", 2)) == 3
    assert "layer 1: xc is left out: 1 of 12 directions vary in others, not in it" in run(tmp_path).output


def test_no_distances_at_all(tmp_path):
    states = planted(langs=("xa", "xb"))
    for part in ("fit", "again"):
        states["xb"][part][..., 3] = states["xb"][part][..., 4]
    fits = write_fits(tmp_path, states)
    with pytest.raises(FactrootsError, match="no two languages have a distance at layer 1, 2"):
        results(fits, ["xa", "xb"], [1, 2], ["riemann"], 0.9, 0)


def test_unequal_languages(tmp_path):
    states = planted()
    states["xb"] = {part: own[:, :2_000] for part, own in states["xb"].items()}
    fits = write_fits(tmp_path, states)
    with pytest.raises(FactrootsError, match="xb has 2,000 tokens and xa 4,000"):
        results(fits, list(LANGS), [1], ["riemann"], 0.9, 0)
    assert results(fits, ["xa", "xc"], [1], ["riemann"], 0.9, 0)[1].layers[0].pairs


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--langs", "xa"), "only xa: a distance takes two languages"),
        (("--langs", "xa,de"), "there is no de for --langs; there are: xa, xb, xc"),
        (("--layers", "2-4"), "there is no 3, 4 for --layers; there are: 0, 1, 2"),
        (("--measure", "cosine"), "there is no cosine for --measure"),
        (("--variance", "1.5"), "--variance takes a share"),
    ],
)
def test_mistakes(folder, words, message):
    with pytest.raises(FactrootsError, match=message):
        run(folder, *words)


@pytest.mark.parametrize("layers", ["x", "4-2", "", "1,,2"])
def test_layers_that_are_none(folder, layers):
    done = run(folder, "--layers", layers)
    assert done.exit_code == 2
    assert "is no layer and no range of layers" in done.output


def test_a_broken_layer(folder):
    told(folder, "--langs", "xb,xc", "--measure", "means")
    path = max(folder.glob("distance-*/.distance-01.json"), key=lambda path: path.stat().st_mtime)
    path.write_text(path.read_text()[:50])
    with pytest.raises(FactrootsError, match="-01.json is broken; delete it"):
        run(folder, "--langs", "xb,xc", "--measure", "means")
