"""Variants written for other tools: plain transformers checkpoints, and folders that peft loads."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import torch

from data_builders.errors import FactrootsError
from fine_tuning.families import auto_class
from fine_tuning.locating import locate
from fine_tuning.methods.peft_folder import CONFIG, WEIGHTS
from fine_tuning.model_spec import Scaled
from fine_tuning.models import load
from fine_tuning.variants.folder import Variant, read_variant, refuse_existing, write_whole
from fine_tuning.variants.names import is_tied


def export_peft(variant: Variant, folder: Path) -> None:
    """Write a variant of kind peft as a folder that ``PeftModel.from_pretrained`` loads."""
    if variant.about.kind != "peft":
        raise FactrootsError(
            f"{variant.folder} is a {variant.about.kind} variant and no peft adapter; choose another --to"
        )
    write_whole(
        folder, lambda part: [shutil.copyfile(variant.folder / name, part / name) for name in (CONFIG, WEIGHTS)]
    )


def export_transformers(variant: Variant, folder: Path, scale: float = 1.0, model: str | None = None) -> None:
    """Write base and variant together as a plain checkpoint, with the tokenizer. `model` says where the base lies.

    It is read back, and must have the weights and give the logits of the model with the variant to the last bit. A head
    that was untied stays so, by its config. Raises FactrootsError for variants that add layers.
    """
    if "bottleneck" in kinds(variant):
        raise FactrootsError(
            f"{variant.folder} adds layers, which a plain checkpoint has no room for; export it with --to adapterhub"
        )
    refuse_existing(Path(folder))
    at = locate(model or variant.about.base.spec)
    spec = replace(at.spec, variants=(Scaled(str(variant.folder), scale),))
    loaded = load(at._replace(spec=spec, variants=((variant, scale),)))

    def write(part: Path) -> None:
        loaded.model.save_pretrained(part, state_dict=_apart(loaded.model))
        loaded.tokenizer.save_pretrained(part)
        again = auto_class(loaded.family).from_pretrained(part, dtype=torch.float32, use_safetensors=True).eval()
        if not _same(again, loaded.model):
            raise FactrootsError(f"{spec} is another model once transformers has written and read it; report this")

    write_whole(folder, write)


def _apart(model) -> dict[str, torch.Tensor] | None:
    """What to write of a model whose head has weights of its own, where transformers' choice will not do (None).

    It leaves out one of two names of a tensor, as the head's bias has in BERT, and would tie them again only where it
    ties the embeddings too.
    """
    return None if is_tied(model) else {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _same(one, other) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    same = ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    return same and torch.equal(_logits(one), _logits(other))


def kinds(variant: Variant) -> set[str]:
    """A variant's kind, or those of a stack's parts."""
    if variant.about.kind != "stack":
        return {variant.about.kind}
    parts = range(len(variant.about.config["scales"]))
    return set().union(*(kinds(read_variant(variant.folder / str(number))) for number in parts))


def _logits(model) -> torch.Tensor:
    """What a model says of twelve tokens from all over its vocabulary."""
    rows = model.get_input_embeddings().weight.shape[0]
    ids = torch.linspace(0, rows - 1, 12).long()[None]
    with torch.inference_mode():
        extra = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
        return model(input_ids=ids, attention_mask=torch.ones_like(ids), **extra).logits
