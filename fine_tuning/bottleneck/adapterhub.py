"""Adapters in folders as the package `adapters` writes and reads them, which is what AdapterHub publishes.

Its ``load_adapter`` reads what is written here with ``use_safetensors=True``. Only its ``*AdapterModel`` classes apply
the inverse of an invertible adapter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import Tensor

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_json
from fine_tuning.bottleneck.applying import FILE, filled, read_weights, write_weights
from fine_tuning.bottleneck.architectures import Architecture, architecture, layers
from fine_tuning.bottleneck.config import PLACEMENTS, Config
from fine_tuning.bottleneck.hub_config import from_hub, to_hub
from fine_tuning.bottleneck.modules import count
from fine_tuning.bottleneck.placement import blank
from fine_tuning.variants.folder import Variant, refuse_existing, write_variant, write_whole

CONFIG, PICKLED = "adapter_config.json", "pytorch_adapter.bin"
#: What modules were called before adapter-transformers 2.0 (`adapters` 1.3.0, loading.py).
LEGACY = re.compile(r"\b(attention|layer)_text_(task|lang)_adapters\b|\binvertible_lang_adapters\b")


def import_adapterhub(folder: Path, model_spec: str, output: Path) -> Variant:
    """Make a variant of `model_spec` from a folder with an ``adapter_config.json`` and weights.

    Raises FactrootsError where it is no bottleneck adapter, or is one for another kind or size of model.
    """
    from fine_tuning.locating import locate
    from fine_tuning.methods.bottleneck import Houlsby, Pfeiffer
    from fine_tuning.models import load
    from fine_tuning.variants.making import base_of, packages
    from fine_tuning.variants.names import tie_of

    folder = Path(folder)
    refuse_existing(output)
    file, tensors = read_hub(folder)
    at = locate(model_spec)
    if at.variants:
        raise FactrootsError(f"an adapter is imported for a model without variants; pass --model {at.spec.base}")
    loaded = load(at)
    model = loaded.model
    if file.get("model_type", model.config.model_type) != model.config.model_type:
        raise FactrootsError(
            f"{folder} is for a {file['model_type']} ({file.get('model_name')}), and --model {model_spec} is a "
            f"{model.config.model_type}; name the model that it was made for"
        )
    try:
        config = from_hub(file, any("invertible_adapters." in name for name in tensors))
        made = blank(model, config)
        weights = translated(made, architecture(model.config.model_type), [name for name, _ in layers(model)], tensors)
        size = count(filled(made, weights))
    except FactrootsError as error:
        raise FactrootsError(f"{folder}: {error}") from error
    method = {"houlsby": Houlsby, "pfeiffer": Pfeiffer}[config.placement]
    return write_variant(
        output,
        partial(write_weights, weights=weights),
        kind="bottleneck",
        method=str(method(**{**config.as_json(), "leave_out": tuple(map(str, config.leave_out))})),
        config={**config.as_json(), "beneath": []},
        base=base_of(at, loaded),
        tie=tie_of(model),
        data={"adapterhub": {key: file.get(key) for key in ("name", "model_name", "version")}},
        trained=size,
        stored=size,
        packages=packages(),
    )


def export_adapterhub(variant: Variant, folder: Path) -> None:
    """Write a variant of kind ``bottleneck`` as a folder that `adapters` reads, called as the variant's folder is.

    Raises FactrootsError where `adapters` knows no such adapter or architecture, and where something is in the way.
    """
    from safetensors.torch import save_file

    about, folder = variant.about, Path(folder)
    if about.kind != "bottleneck":
        raise FactrootsError(f"{variant.folder} is a {about.kind}, no bottleneck adapter; choose another --to")
    refuse_existing(folder)
    config, shape = Config.from_json(about.config), architecture(about.base.model_type)
    if shape.feed_forward.hub is None or shape.layers.count("*") > 1:
        raise FactrootsError(
            f"{variant.folder}: adapters of a {about.base.model_type} cannot be written for `adapters`"
        )
    says, weights = to_hub(config), read_weights(variant.folder)
    numbers = {int(key.split(".")[1]) for key in weights if not key.startswith("nice.")}
    names = [shape.layers.replace("*", str(number)) for number in range(max(numbers) + 1)]
    name = re.sub(r"\W", "_", variant.folder.resolve().name)
    # With NICE left out, an adapter's own up-projection still says how wide the hidden states are.
    width = next(len(tensor) for key, tensor in weights.items() if key.endswith(".up.bias"))
    file = {
        "config": says,
        "hidden_size": width,
        "model_class": None,
        "model_name": about.base.id,
        "model_type": about.base.model_type,
        "name": name,
        "version": "adapters.1.3.0",
    }

    def write(part: Path) -> None:
        save_file({hub_name(key, shape, names, name): tensor for key, tensor in weights.items()}, part / FILE)
        write_json(part / CONFIG, file)

    write_whole(folder, write)


def read_hub(folder: Path) -> tuple[dict, dict[str, Tensor]]:
    """A folder's ``adapter_config.json`` and its tensors; a pickle is opened for tensors alone, and runs nothing."""
    import torch

    if not (folder / CONFIG).is_file():
        raise FactrootsError(f"{folder} holds no {CONFIG}; name the folder that `adapters` wrote")
    file = read_json(folder / CONFIG)
    if (folder / FILE).is_file():
        return file, read_weights(folder)
    if not (folder / PICKLED).is_file():
        raise FactrootsError(f"{folder} holds neither {FILE} nor {PICKLED}")
    try:
        tensors = torch.load(folder / PICKLED, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise whatever they like for a broken file
        raise FactrootsError(
            f"{folder / PICKLED} cannot be read as tensors alone; have `adapters` save it with use_safetensors=True"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise FactrootsError(f"{folder / PICKLED} holds other things than tensors; it is no adapter")
    return file, tensors


def translated(made, shape: Architecture, names: Sequence[str], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by the names of `made`. Raises FactrootsError where one is missing or means nothing."""
    if not has_places(made.config, shape):
        raise FactrootsError(f"`adapters` has no {made.config.placement} adapters in such a model where they are here")
    renamed = {LEGACY.sub(lambda m: "invertible_adapters" if m[1] is None else "adapters", k): k for k in tensors}
    body = shape.embeddings.partition(".")[0] + "."
    if not any(name.startswith(body) for name in renamed):
        renamed = {body + name: key for name, key in renamed.items()}  # of a model that was saved without its head
    called = {m[1] for name in renamed if (m := re.search(r"adapters\.(?!adapters\.)([^.]+)\.", name))}
    if len(called) != 1:
        raise FactrootsError(f"its weights are those of {len(called)} adapters; one is needed")
    wanted = {key: hub_name(key, shape, names, *called) for key in made.state_dict()}
    if missing := sorted(set(wanted.values()) - renamed.keys()):
        raise FactrootsError(f"its weights lack {len(missing)} tensors, {missing[0]} among them")
    if more := sorted(renamed.keys() - set(wanted.values())):
        raise FactrootsError(f"its weights hold {len(more)} tensors too many, {more[0]} among them")
    return {key: tensors[renamed[name]] for key, name in wanted.items()}


def has_places(config: Config, shape: Architecture) -> bool:
    """Whether `adapters` has the places that an adapter stands in."""
    return all(getattr(shape, block).hub for block in PLACEMENTS[config.placement].blocks)


def hub_name(key: str, shape: Architecture, names: Sequence[str], called: str) -> str:
    """What `adapters` calls the tensor ``feed_forward.3.down.weight`` or ``nice.f.0.weight`` of an adapter."""
    block, at, *rest = key.split(".")
    if block == "nice":
        return ".".join([shape.embeddings.partition(".")[0], "invertible_adapters", called, at.upper(), *rest])
    part = {"down": "adapter_down.0", "up": "adapter_up"}[rest[0]]
    return ".".join([names[int(at)], getattr(shape, block).hub, "adapters", called, part, rest[1]])
