"""Adapters that peft wrote become variants."""

from __future__ import annotations

import shutil
from pathlib import Path

from data_builders.folder import read_json
from fine_tuning.locating import locate
from fine_tuning.methods.peft_folder import CONFIG, WEIGHTS, read_config, read_weights
from fine_tuning.methods.peft_layers import injected, set_weights
from fine_tuning.models import load
from fine_tuning.variants.folder import Variant, refuse_existing, write_variant
from fine_tuning.variants.making import base_of, packages
from fine_tuning.variants.names import tie_of


def import_peft(folder: Path, model: str, output: Path) -> Variant:
    """A LoRA or (IA)³ that peft wrote, as a variant of `model`. Raises FactrootsError where it does not fit it."""
    folder, at = Path(folder), locate(model)
    config, state = read_config(folder), read_weights(folder)
    refuse_existing(Path(output))
    loaded = load(at)
    with injected(loaded.model, config):
        set_weights(loaded.model, state)

    def write(part: Path) -> None:
        for name in (CONFIG, WEIGHTS):
            shutil.copyfile(folder / name, part / name)

    size = sum(tensor.numel() for tensor in state.values())
    return write_variant(
        output,
        write,
        kind="peft",
        method={"LORA": "lora", "IA3": "ia3"}[config.peft_type.value],
        config=read_json(folder / CONFIG),
        base=base_of(at, loaded),
        tie=tie_of(loaded.model),
        data={"imported": "peft"},
        trained=size,
        stored=size,
        packages=packages(),
    )
