"""Tiny models, text in two languages for them, and fits: all of it made on the spot."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from neuron_fixtures import KINDS, tiny

from data_builders.progress import Quiet
from fine_tuning.models import Loaded
from probe.geometry.body import Body
from probe.geometry.fits import Fits
from probe.geometry.fitting import carry_out, describe
from probe.geometry.sources import open_text
from probe.geometry.text import read_sequences

__all__ = ["KINDS", "fitted", "ids", "states", "text", "tiny"]

#: Letters of each language's words, all of which the fixtures' tokenizers know.
LETTERS = {"it": "abcdeilmnorst", "ja": "東京都日本首", "af": "abdefgiorstu"}


def text(folder: Path, langs: Sequence[str] = ("it", "ja"), lines: int = 300, seed: int = 0) -> Path:
    """A folder of ``<lang>.txt`` with so many lines of made-up words, no two of them the same."""
    folder.mkdir(parents=True, exist_ok=True)
    for lang in langs:
        draw = random.Random(f"{lang}{seed}")
        word = lambda: "".join(draw.choices(LETTERS[lang], k=draw.randint(2, 5)))  # noqa: B023, E731
        made = [" ".join(word() for _ in range(draw.randint(3, 9))) for _ in range(lines)]
        (folder / f"{lang}.txt").write_text("\n".join(dict.fromkeys(made)) + "\n", encoding="utf-8")
    return folder


def fitted(one: Loaded, where: Path | str, folder: Path, langs=None, number: int = 16, **more) -> Fits:
    """Fits of a tiny model; `more` is of :func:`probe.geometry.fitting.describe`."""
    source, body = open_text(str(where)), Body.of(one, more.get("at"))
    seed = more.pop("seed", 0)
    found = read_sequences(source, one, langs, 24, number, 4, seed)
    return carry_out(body, describe(body, source.name, found, seed, **more), found, folder, Quiet())


def ids(one: Loaded, rows: int = 3, length: int = 12, seed: int = 0) -> torch.Tensor:
    """Random sequences without special tokens, [rows, length]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(8, len(one.tokenizer), (rows, length), generator=generator)


@torch.no_grad()
def states(one: Loaded, tokens: torch.Tensor | np.ndarray) -> list[torch.Tensor]:
    """The model's own ``output_hidden_states`` (the last one after its final norm, where it has one)."""
    return list(one.model(input_ids=torch.as_tensor(tokens).long(), output_hidden_states=True).hidden_states)
