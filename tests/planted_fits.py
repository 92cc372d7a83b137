"""Fits of vectors that were made on the spot, without a model: what lies where in them is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from data_builders.folder import write_json
from probe.geometry.classes import Classes
from probe.geometry.fits import Fits, moments_file
from probe.geometry.fits_record import FILE, SCHEMA_VERSION, About, Language, Model
from probe.geometry.moments import Moments
from probe.geometry.tally import FITTED, UPOS, Tally

LANGS, WIDTH, LAYERS = ("xa", "xb", "xc"), 12, 3
PLACES = [1, 3, 5, 7]


def write_fits(
    folder: Path, states: Mapping[str, Mapping[str, np.ndarray]], tagged: Mapping = {}, seed: int = 0
) -> Fits:
    """From states [layers, n, d] of each language's ``fit`` and ``again``; places go round, one token after the other.

    `tagged` has the parts of speech of languages' tokens, int [n].
    """
    folder.mkdir(parents=True, exist_ok=True)
    layers, _, width = next(iter(states.values()))["fit"].shape
    for lang, own in states.items():
        moments = {part: Moments.zero(layers, width).plus(own[part]) for part in FITTED}
        which = {"position": np.arange(own["fit"].shape[1]) % len(PLACES)}
        names = {"position": tuple(map(str, PLACES)), "pos": UPOS}
        if lang in tagged:
            which["pos"] = tagged[lang]
        classes = {kind: Classes.zero(names[kind], layers, width).plus(own["fit"], at) for kind, at in which.items()}
        Tally(1, moments, classes).write(moments_file(folder, lang))
    model = Model(spec="made", id="made", name="made", family="masked", sha256="0" * 64, dtype="float32")
    text = {"origin": "0" * 64, "sha256": f"{seed:064x}", "lines": 1, "repeated": 0, "whole": 1}
    languages = {lang: Language(**text, tagger="made" if lang in tagged else None) for lang in states}
    about = About(
        schema_version=SCHEMA_VERSION, version="0", model=model, text="made", length=8, number=1, test=1, seed=seed,
        specials=True, layers=layers - 1, width=width, at=None, positions=PLACES, languages=languages,
    )  # fmt: skip
    write_json(folder / FILE, about.model_dump())
    return Fits.open(folder)


def planted(seed: int = 0, n: int = 4_000, langs=LANGS, apart: float = 3.0) -> dict[str, dict[str, np.ndarray]]:
    """Normal states [3, n, 12]: a place's mean lies along dimension 11, and a language's (`apart` for the last one, for
    the one before it half of that, ..) along dimension 0, where the languages' variances differ too.

    Layer 0 is a layer where dimension 5 does not vary; from layer 1 to layer 2 all is the same but for noise.
    """
    generator, made = np.random.default_rng(seed), {}
    place = np.array([-1.5, -0.5, 0.5, 1.5])
    for i, lang in enumerate(langs):
        made[lang] = {}
        for part in FITTED:
            states = generator.normal(size=(LAYERS, n, WIDTH))
            states[..., 0] *= 1 + 0.5 * i
            states[..., 0] += apart * i / (len(langs) - 1)
            states[..., 11] += 2 * place[np.arange(n) % len(place)]
            states[0, :, 5] = 7
            made[lang][part] = states
    return made
