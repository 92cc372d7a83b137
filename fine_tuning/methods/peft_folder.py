"""Variants that are peft adapters: folders that peft loads, merged into the weights as peft does, and taken off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from data_builders.errors import FactrootsError
from data_builders.folder import read_json
from fine_tuning.methods.peft_layers import injected, set_weights
from fine_tuning.variants.applying import Undo
from fine_tuning.variants.delta import Delta
from fine_tuning.variants.folder import Variant
from fine_tuning.variants.names import parameters

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
#: peft's settings that keep more than low-rank updates and vectors, or change the base: only these values are read.
PLAIN = {
    "bias": ("none",),
    "lora_bias": (False,),
    "modules_to_save": (None, []),
    "trainable_token_indices": (None, [], {}),
    "layer_replication": (None, []),
    "target_parameters": (None, []),
    "init_lora_weights": (True, False, "gaussian", "orthogonal"),
}
#: LoRA's settings under which an update is not proportional to its scale.
CURVED = ("use_dora", "kasa_config")


def as_dict(config, model_class: type) -> dict[str, Any]:
    """`config` as peft's ``save_pretrained`` writes it for a `model_class`; sets in order of their names, not of a hash
    table."""
    names = {"base_model_class": model_class.__name__, "parent_library": model_class.__module__}
    found = config.to_dict() | {"inference_mode": True, "auto_mapping": names}
    return json.loads(json.dumps({k: sorted(v) if isinstance(v, set) else v for k, v in found.items()}))


def write(folder: Path, state: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> None:
    """Write peft's two files."""
    from safetensors.torch import save_file

    save_file(dict(state), folder / WEIGHTS, {"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")


def read_config(folder: Path):
    """peft's config in `folder`. Raises FactrootsError for a method or a setting that is not read here."""
    from peft import PeftConfig

    if not (folder / CONFIG).is_file():
        raise FactrootsError(f"{folder} is no peft adapter: it has no {CONFIG}")
    values = read_json(folder / CONFIG)
    if values.get("peft_type") not in ("LORA", "IA3"):
        raise FactrootsError(f"{folder} is a peft adapter of type {values.get('peft_type')}; LORA and IA3 are read")
    for key, able in PLAIN.items():
        if key in values and values[key] not in able:
            raise FactrootsError(f"{folder}: {key}={values[key]!r} in {CONFIG} is not supported; train without it")
    try:
        return PeftConfig.from_peft_type(**values)
    except (TypeError, ValueError) as error:
        raise FactrootsError(f"{folder}/{CONFIG}: {error}") from error


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The adapter's tensors. Raises FactrootsError where there are none, or they change nothing as they are."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise FactrootsError(f"{folder}/{WEIGHTS} cannot be read: {error}") from error
    still = {"lora_B.weight": 0, "lora_embedding_B": 0, "ia3_l": 1}
    if all((t == at).all() for name, t in state.items() for end, at in still.items() if name.endswith(end)):
        raise FactrootsError(
            f"{folder}/{WEIGHTS} is at its initial values and changes nothing; train it, or copy it anew"
        )
    return state


@contextmanager
def _layers(model, folder: Path) -> Iterator[list]:
    """The adapter's layers in the model, each with a base layer."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    config, state = read_config(folder), read_weights(folder)
    config.inference_mode = True
    with injected(model, config):
        try:
            set_weights(model, state)
        except FactrootsError as error:
            raise FactrootsError(f"{folder}: {error}") from error
        yield [module for module in model.modules() if isinstance(module, BaseTunerLayer)]


@torch.no_grad()
def apply(model, variant: Variant, scale: float = 1.0) -> Undo:
    """Merge the adapter as peft does; `scale` multiplies LoRA's update. What is returned puts the weights back.

    Raises FactrootsError, the model as it was, where it does not fit, or its change is not proportional to a scale.
    """
    _refuse_scale(variant, scale)
    held = []
    with _layers(model, variant.folder) as layers:
        for layer in layers:
            if scale != 1:
                layer.scale_layer(scale)
            held += _merge(layer)

    @torch.no_grad()
    def undo() -> None:
        for parameter, old in held:
            parameter.copy_(old)

    return undo


def _merge(layer) -> list[tuple[torch.nn.Parameter, torch.Tensor]]:
    """Merge in place, where other variants' undoing will look for the weights; returns what these were."""
    places = [(parameter, parameter.data, parameter.data.clone()) for parameter in layer.get_base_layer().parameters()]
    layer.merge()
    for parameter, place, _ in places:
        if parameter.data.data_ptr() != place.data_ptr():
            place.copy_(parameter.data)
            parameter.data = place
    return [(parameter, old) for parameter, _, old in places]


def _refuse_scale(variant: Variant, scale: float) -> None:
    config = variant.about.config
    kind = config.get("peft_type")
    if scale != 1 and (kind != "LORA" or any(config.get(name) for name in CURVED)):
        raise FactrootsError(
            f"{variant.folder} cannot be applied {scale!r} times: a scale multiplies what is added, and {kind} "
            "multiplies; leave the scale out"
        )


@torch.no_grad()
def delta_of(model, variant: Variant) -> Delta:
    """What the adapter adds to `model`'s weights, float32: LoRA's alpha/rank · B A exactly, else after − before."""
    names = {id(parameter): name for name, parameter in parameters(model).items()}
    plain = variant.about.config.get("peft_type") == "LORA" and not any(map(variant.about.config.get, CURVED))
    made: Delta = {}
    with _layers(model, variant.folder) as layers:
        for layer in layers:
            base = layer.get_base_layer()
            if plain:
                made[names[id(base.weight)]] = layer.get_delta_weight("default").float().contiguous()
                continue
            for parameter, old in _merge(layer):
                made[names[id(parameter)]] = parameter.data.float() - old.float()
                parameter.copy_(old)
    return {name: part for name, part in made.items() if part.any()}
