"""Fits: what a folder holds is what a slow count by hand gives; it goes on, is merged, and knows its model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from geometry_fixtures import KINDS, fitted, states, text, tiny

from data_builders.errors import FactrootsError
from probe.geometry import fitting
from probe.geometry.body import Body
from probe.geometry.fits import Fits
from probe.geometry.layers import watching
from probe.geometry.merging import merge
from probe.geometry.text import read_sequences, special_ids


def slow_states(one, sequences: np.ndarray, layer: int) -> np.ndarray:
    """Of all tokens, a sequence at a time [n, length, d]."""
    held, found = [], Body.of(one).blocks
    for row in sequences:
        with watching(found, lambda _, x: held.append(x[0].numpy()), [layer]):
            states(one, row[None])
    return np.array(held, float)


@pytest.fixture(scope="module")
def where(tmp_path_factory) -> Path:
    return text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def fits(where, tmp_path_factory) -> Fits:
    return fitted(tiny("bert"), where, tmp_path_factory.mktemp("fits"))


@pytest.mark.parametrize("specials", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_as_counted_by_hand(kind, specials, where, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "TOKENS", 24 * 5)  # several batches, the last one smaller
    one = tiny(kind)
    fits = fitted(one, where, tmp_path / "fits", specials=specials)
    assert fits.langs == ("it", "ja") and [*fits.layers] == [0, 1, 2] and fits.width == 16
    for lang, part, layer in (("it", "fit", 0), ("ja", "again", 1), ("it", "fit", 2)):
        own = getattr(fits.sequences(lang), part)
        x = slow_states(one, own, layer)
        x = x[~np.isin(own, special_ids(one.tokenizer))] if not specials else x.reshape(-1, 16)
        held = fits.moments(lang, layer, part)
        assert held.n == len(x)
        assert np.allclose(held.mean, x.mean(axis=0), atol=1e-5)
        assert np.allclose(held.covariance, np.cov(x, rowvar=False), atol=1e-4 * np.abs(np.cov(x.T)).max())
        assert np.array_equal(fits.mean(lang, layer, part), held.mean)
        assert np.array_equal(fits.subspace(lang, layer, part).mean, held.mean)


def test_states_by_position(fits):
    assert fits.about.positions == [*range(1, 17)]  # of 24; of 512 they are every 32nd, as published
    own = fits.sequences("it").fit
    x = slow_states(tiny("bert"), own, 1)[:, 1:17]
    held = fits.classes("position", 1, ["it"])
    assert held.names == tuple(map(str, range(1, 17))) and held.counts.tolist() == [16] * 16
    assert np.allclose(held.means, x.mean(axis=0), atol=1e-5)
    apart = (x - x.mean(axis=0)).reshape(-1, 16)
    assert np.allclose(held.within, apart.T @ apart, atol=1e-3)
    both = fits.classes("position", 1)
    assert both.counts.tolist() == [32] * 16
    assert both.total.n == 2 * held.total.n


def test_states_by_language(fits):
    held = fits.classes("language", 2)
    assert held.names == ("it", "ja") and held.counts.tolist() == [384, 384]
    assert np.allclose(held.means, [fits.mean(lang, 2) for lang in fits.langs])
    within = sum(fits.moments(lang, 2).scatter for lang in fits.langs)
    assert np.allclose(held.within, within, atol=1e-9 * np.abs(within).max())


def test_what_is_not_there(fits, tmp_path):
    for call, message in (
        (lambda: fits.moments("af", 0), "unknown language 'af'; there are: it, ja"),
        (lambda: fits.sequences("af"), "unknown language"),
        (lambda: fits.subspace("it", 3), r"has no layer 3; --layers takes 0 \(the embeddings\) to 2"),
        (lambda: fits.mean("it", -1), "has no layer -1"),
        (lambda: fits.mean("it", 0, "test"), "unknown part 'test'; there are: again, fit"),
        (lambda: fits.classes("gender", 0), "unknown kind of classes 'gender'; there are: language, pos, position"),
        (lambda: fits.classes("pos", 0), "has no parts of speech: no spaCy pipeline.*for it, ja; install one"),
        (lambda: Fits.open(tmp_path), "holds no fits .no fits.json.; make them: probe geometry fit"),
    ):
        with pytest.raises(FactrootsError, match=message):
            call()


def test_another_model_is_refused_with_both_hashes(fits):
    one = tiny("bert")
    fits.need(one)
    with pytest.raises(FactrootsError, match=f"whose SHA-256 is {one.sha256}; that of .* is {'f' * 64}"):
        fits.need(one._replace(sha256="f" * 64))
    with pytest.raises(FactrootsError, match="fitted in float32, not in bfloat16; pass --dtype float32"):
        fits.need(one._replace(dtype="bfloat16"))


def test_the_same_again_is_the_same_and_does_nothing(fits, where, monkeypatch):
    before = {path.name: path.stat().st_mtime_ns for path in fits.folder.iterdir() if path.name != ".lock"}
    monkeypatch.setattr(fitting, "_count", None)
    fitted(tiny("bert"), where, fits.folder)
    assert {path.name: path.stat().st_mtime_ns for path in fits.folder.iterdir() if path.name != ".lock"} == before


@pytest.mark.parametrize(
    ("change", "differ"),
    [({"number": 15}, "number, languages"), ({"specials": False}, "specials"), ({"seed": 1}, "seed")],
)
def test_other_fits_are_not_mixed(fits, where, change, differ):
    with pytest.raises(FactrootsError, match=rf"holds other fits \(their {differ}.* differ\); choose another --output"):
        fitted(tiny("bert"), where, fits.folder, **change)


def test_fewer_tokens_than_dimensions(where, tmp_path):
    one = tiny("bert")
    with pytest.raises(FactrootsError, match="1 sequences of 14 tokens are fewer than the 16 dimensions"):
        fitting.describe(Body.of(one), "text", read_sequences(str(where), one, None, 14, 1, 1), 0)


def halves(tmp_path: Path, langs=("it", "ja")) -> list[Path]:
    """Text cut in two."""
    whole = text(tmp_path / "whole", langs)
    parts = [tmp_path / "one", tmp_path / "two"]
    for number, part in enumerate(parts):
        part.mkdir()
        for lang in langs:
            own = (whole / f"{lang}.txt").read_text().splitlines()
            (part / f"{lang}.txt").write_text("\n".join(own[150 * number : 150 * (number + 1)]) + "\n")
    return parts


def test_memory_that_runs_out_halves_the_batch(fits, where, tmp_path, monkeypatch):
    plain, sizes = Body._states, []

    def small(self, ids, counted):
        sizes.append(len(ids))
        if len(ids) > 5:
            raise MemoryError
        return plain(self, ids, counted)

    monkeypatch.setattr(Body, "_states", small)
    halved = fitted(tiny("bert"), where, tmp_path)
    assert {4, 8, 16} <= {*sizes}
    for part in ("fit", "again"):
        one, other = halved.moments("it", 2, part), fits.moments("it", 2, part)
        assert one.n == other.n and np.allclose(one.scatter, other.scatter, rtol=1e-5, atol=1e-5)


def test_merged_fits_are_those_of_all_the_text(tmp_path):
    one, parts = tiny("gpt2"), halves(tmp_path)
    each = [fitted(one, part, tmp_path / f"fits{n}", number=n + 5) for n, part in enumerate(parts)]
    merged = merge([fits.folder for fits in each], tmp_path / "merged")
    about = merged.about
    assert (about.number, about.test, about.text) == (11, 8, "one + two")
    merged.need(one)
    for part in ("fit", "again"):
        own = np.concatenate([getattr(fits.sequences("ja"), part) for fits in each])
        assert np.array_equal(getattr(merged.sequences("ja"), part), own)
        x = slow_states(one, own, 1).reshape(-1, 16)
        held = merged.moments("ja", 1, part)
        assert held.n == len(x) and np.allclose(held.mean, x.mean(axis=0), atol=1e-5)
        assert np.allclose(held.covariance, np.cov(x.T), atol=1e-4 * np.abs(np.cov(x.T)).max())
    assert merged.classes("position", 0, ["it"]).counts.tolist() == [11] * 16
    turned = merge([fits.folder for fits in each[::-1]], tmp_path / "turned")
    assert np.allclose(turned.moments("it", 2).scatter, merged.moments("it", 2).scatter, rtol=1e-10)


def test_what_is_not_merged(fits, where, tmp_path):
    again = fitted(tiny("bert"), where, tmp_path / "again", seed=1)
    with pytest.raises(FactrootsError, match=r"share \d+ of \d+ lines in it; merge fits to different text only"):
        merge([fits.folder, again.folder], tmp_path / "merged")
    other = fitted(tiny("gpt2"), where, tmp_path / "other")
    with pytest.raises(FactrootsError, match="cannot be merged: their model differ"):
        merge([fits.folder, other.folder], tmp_path / "merged")
    fewer = fitted(tiny("bert"), where, tmp_path / "fewer", langs=["it"])
    with pytest.raises(FactrootsError, match="their languages differ"):
        merge([fits.folder, fewer.folder], tmp_path / "merged")
    assert not (tmp_path / "merged" / "fits.json").exists()


def test_files_that_were_changed(fits, tmp_path):
    def copy(name: str) -> Path:
        return Path(shutil.copytree(fits.folder, tmp_path / name))

    broken = copy("broken")
    (broken / "moments-it.safetensors").write_bytes(b"nothing")
    with pytest.raises(FactrootsError, match="moments-it.safetensors cannot be read"):
        Fits.open(broken).moments("it", 0)
    lost = copy("lost")
    (lost / "moments-ja.safetensors").unlink()
    with pytest.raises(FactrootsError, match=r"is not finished \(ja missing\); the same `probe geometry fit` goes on"):
        Fits.open(lost)
    swapped = copy("swapped")
    shutil.copy(swapped / "sequences-ja.safetensors", swapped / "sequences-it.safetensors")
    with pytest.raises(FactrootsError, match="holds other sequences than fits.json says"):
        Fits.open(swapped).sequences("it")
    (swapped / "sequences-it.safetensors").write_bytes(b"")
    with pytest.raises(FactrootsError, match="sequences-it.safetensors cannot be read"):
        Fits.open(swapped).sequences("it")
    old = copy("old")
    about = json.loads((old / "fits.json").read_text())
    for change in ({"schema_version": 0}, {"colour": "red"}, {"length": -1}):
        (old / "fits.json").write_text(json.dumps(about | change))
        with pytest.raises(FactrootsError, match="fits.json is broken or of another version"):
            Fits.open(old)


def test_a_folder_of_something_else(where, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FactrootsError, match="is not empty and holds no fits; choose another --output"):
        fitted(tiny("bert"), where, tmp_path)


def test_states_that_are_not_finite(where, tmp_path):
    one = tiny("llama")
    one.model.model.layers[1].mlp.down_proj.weight.data.fill_(float("inf"))
    with pytest.raises(
        FactrootsError, match="has states in it that are not finite, at layer 2; choose another --model"
    ):
        fitted(one, where, tmp_path)
