"""``probe geometry`` as a whole, and ``plot``: every part made, drawn, and put on one page."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from neuron_fixtures import tiny
from planted_fits import planted, write_fits
from probe_fixtures import save_model
from test_geometry_ratio_command import text

from data_builders.errors import FactrootsError
from probe.commands.geometry.distance import distance
from probe.commands.geometry.group import geometry
from probe.commands.geometry.plot import plot
from probe.geometry.conditions import CONDITIONS
from probe.geometry.gathered import PARTS, gather
from probe.geometry.plots import CAPTIONS, PICTURES
from probe.geometry.plots.colours import CONDITIONS as COLOURS


def run(command, *words: str):
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All of a tiny model's geometry, and the command that made it."""
    at = tmp_path_factory.mktemp("whole")
    one = tiny("bert")
    words = ["--model", save_model(at / "model", one.model, one.tokenizer), "--text", text(at / "text"),
             "--sequences", 6, "--test", 6, "--length", 16, "--output", at / "fits", "--quiet"]  # fmt: skip
    done = run(geometry, *words)
    assert done.exit_code == 0, done.output
    return at / "fits", words


def test_every_part_is_made_and_drawn(whole):
    folder, _ = whole
    assert all(list(folder.glob(f"{part}-*/{part}.json")) for part in PARTS)
    drawn = {path.stem for path in folder.glob("*.png")}
    assert {"dimensions", "ratio", "ratio-pairs", "distance", "stability"} <= drawn <= set(PICTURES)
    page = (folder / "geometry.html").read_text()
    assert page.count("data:image/png;base64,") == len(drawn)
    assert 'src="http' not in page and "control of own: random axes" in page
    record = json.loads(next(folder.glob("ratio-*/ratio.json")).read_text())
    own = next(one for one in record["means"] if (one["condition"], one["layer"]) == ("own", 1))["geometric"]
    assert f"{own['value']:.3g} [{own['low']:.3g}, {own['high']:.3g}]" in page


def test_the_same_command_ends_with_the_same_bytes(whole):
    folder, words = whole
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".json", ".png", ".html")}
    assert run(geometry, *words).exit_code == 0
    assert before == {path: path.read_bytes() for path in before}


def test_names_are_escaped(tmp_path):
    """A language's name is whatever its file is called."""
    states = planted(langs=("<b>x", "it"))
    write_fits(tmp_path / "fits", states)
    assert run(plot, "--fits", tmp_path / "fits").exit_code == 0
    page = (tmp_path / "fits" / "geometry.html").read_text()
    assert "&lt;b&gt;x" in page and "<b>x" not in page


def test_pictures_of_other_records_go(tmp_path):
    """What was drawn of a record that is no more named does not stay beside the page."""
    write_fits(tmp_path / "fits", planted())
    assert run(distance, "--fits", tmp_path / "fits", "--quiet").exit_code == 0
    run(plot, "--fits", tmp_path / "fits", "--output", tmp_path / "out")
    assert (tmp_path / "out" / "distance.png").exists()
    write_fits(tmp_path / "other", planted(seed=1))
    run(plot, "--fits", tmp_path / "other", "--output", tmp_path / "out")
    assert not (tmp_path / "out" / "distance.png").exists() and (tmp_path / "out" / "dimensions.png").exists()


def test_records_that_are_not_of_the_fits_are_refused(tmp_path):
    fits = write_fits(tmp_path / "fits", planted())
    other = write_fits(tmp_path / "other", planted(seed=1), seed=1)
    assert run(distance, "--fits", other.folder, "--quiet").exit_code == 0
    made = next(other.folder.glob("distance-*"))
    with pytest.raises(FactrootsError, match="was made of other fits"):
        gather(fits, 0.9, {"distance": made})
    with pytest.raises(FactrootsError, match="holds no axes.json; make it with `probe geometry axes`"):
        gather(fits, 0.9, {"axes": made})
    path = made / "distance.json"
    path.write_text(re.sub('"width": 12', '"width": -1', path.read_text()))
    with pytest.raises(FactrootsError, match="broken or of another version"):
        gather(other, 0.9, {"distance": made})


def test_every_picture_has_its_caption_and_every_condition_its_colour():
    assert PICTURES.keys() == CAPTIONS.keys()
    assert COLOURS.keys() == CONDITIONS.keys()
