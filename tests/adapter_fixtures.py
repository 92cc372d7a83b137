"""Bottleneck adapters with opinions on tiny models, and as variants on disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from causal_fixtures import byte_level, tiny_causal
from probe_fixtures import tiny_model, wordpiece

from fine_tuning.bottleneck.applying import write_weights
from fine_tuning.bottleneck.architectures import ARCHITECTURES
from fine_tuning.bottleneck.config import Config
from fine_tuning.bottleneck.modules import Bottleneck, count, start
from fine_tuning.bottleneck.placement import blank
from fine_tuning.locating import locate
from fine_tuning.models import load
from fine_tuning.variants.folder import Variant, write_variant
from fine_tuning.variants.making import base_of

CAUSAL = ("gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text")
KINDS = tuple(sorted(ARCHITECTURES))


def model_of(kind: str):
    """A tiny model of a ``model_type``, with its tokenizer."""
    tokenizer = byte_level() if kind in CAUSAL else wordpiece()
    make = tiny_causal if kind in CAUSAL else tiny_model
    return make(kind.removesuffix("_text"), tokenizer), tokenizer


def drawn(model, seed: int = 0, spread: float = 0.3, **config) -> Bottleneck:
    """Adapters for `model` whose weights and biases are wide enough to matter."""
    generator = torch.Generator().manual_seed(seed)
    made = start(blank(model, Config(**{"reduction": 4.0, **config})), generator)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, spread, generator=generator)
    return made.requires_grad_(False)


def adapter_variant(folder: Path, base: str, seed: int = 0, **config) -> Variant:
    """Adapters of :func:`drawn` as a variant of the model in `base`."""
    loaded = load(base)
    made = drawn(loaded.model, seed, **config)
    return write_variant(
        folder,
        partial(write_weights, weights=made.state_dict()),
        kind="bottleneck",
        method="pfeiffer",
        config=made.config.as_json(),
        base=base_of(locate(base), loaded),
        tie="tied",
        trained=count(made),
        stored=count(made),
        packages={},
    )
