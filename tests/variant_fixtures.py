"""Tiny bases on disk and variants of them: deltas of noise, and adapters that peft itself has written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from fine_tuning.locating import locate
from fine_tuning.models import load
from fine_tuning.variants.delta import Delta, Sparse, count
from fine_tuning.variants.delta_file import write_delta
from fine_tuning.variants.folder import Variant, write_variant
from fine_tuning.variants.making import base_of
from fine_tuning.variants.names import parameters
from tests.probe_fixtures import save_model, tiny_model, wordpiece


def tiny_base(folder: Path, kind: str = "bert", **more) -> str:
    """A tiny masked LM in a folder."""
    tokenizer = wordpiece()
    return str(save_model(folder, tiny_model(kind, tokenizer, **more), tokenizer))


def noise(model, seed: int = 0, share: float = 1.0, sparse: bool = False) -> Delta:
    """Small random changes of a `share` of a model's entries, whole tensors or sparse ones."""
    generator = torch.Generator().manual_seed(seed)
    made: Delta = {}
    for name, p in parameters(model).items():
        whole = torch.randn(p.shape, generator=generator) * 0.05
        whole *= torch.rand(p.shape, generator=generator) < share
        at = whole.flatten().nonzero()[:, 0]
        made[name] = Sparse(at, whole.flatten()[at], tuple(p.shape)) if sparse else whole
    return made


def delta_variant(folder: Path, base: str, delta: Delta, tie: str = "tied", **about) -> Variant:
    """A delta as a variant of `base`."""
    made = {"method": "full", "trained": count(delta), "packages": {}} | about
    return write_variant(
        folder,
        partial(write_delta, delta=delta),
        kind="delta",
        base=base_of(locate(base), load(base)),
        tie=tie,
        stored=count(delta),
        **made,
    )


def peft_adapter(folder: Path, base: str, config, seed: int = 0, spread: float = 0.1) -> Path:
    """An adapter of random weights, written by peft's own ``save_pretrained``."""
    from peft import get_peft_model

    torch.manual_seed(seed)
    model = get_peft_model(load(base).model, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name or "ia3_" in name:
                parameter.add_(torch.randn(parameter.shape) * spread)
    model.save_pretrained(folder)
    return folder


def words(model, n: int = 7, seed: int = 0) -> torch.Tensor:
    """Token ids [2, n]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(5, model.config.vocab_size, (2, n), generator=generator)


@torch.inference_mode()
def logits(model) -> torch.Tensor:
    """What `model` says of :func:`words`."""
    ids = words(model)
    return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
