"""A delta as one safetensors file: ``dense/NAME``, or ``indices/NAME`` and ``values/NAME``, with the shapes beside."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from data_builders.errors import FactrootsError
from fine_tuning.variants.delta import Delta, Sparse

FILE = "delta.safetensors"


def write_delta(folder: Path, delta: Delta) -> None:
    """Write `delta` to ``folder/delta.safetensors``: equal deltas give equal bytes."""
    from safetensors.torch import save_file

    tensors, shapes = {}, {}
    for name, part in delta.items():
        if isinstance(part, Sparse):
            wide = torch.int64 if part.numel >= 2**31 else torch.int32
            tensors[f"indices/{name}"], tensors[f"values/{name}"] = part.indices.to(wide), part.values.contiguous()
            shapes[name] = list(part.shape)
        else:
            tensors[f"dense/{name}"] = part.contiguous()
    # One entry of metadata alone: several are written in the order of a hash table.
    save_file(tensors, folder / FILE, {"shapes": json.dumps(shapes, sort_keys=True)})


def read_delta(folder: Path) -> Delta:
    """Read it back. Raises FactrootsError where the file is none, or its parts do not fit each other."""
    from safetensors import SafetensorError, safe_open

    path, delta = folder / FILE, {}
    try:
        with safe_open(path, "pt") as file:
            shapes = json.loads((file.metadata() or {}).get("shapes", "{}"))
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                form, _, name = key.partition("/")
                if form == "dense":
                    delta[name] = file.get_tensor(key)
                elif form == "values":
                    indices = file.get_tensor(f"indices/{name}").long()
                    delta[name] = _checked(path, name, Sparse(indices, file.get_tensor(key), tuple(shapes[name])))
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise FactrootsError(f"{path} is no delta: {error}") from error
    return delta


def _checked(path: Path, name: str, part: Sparse) -> Sparse:
    at = part.indices
    fits = at.shape == part.values.shape and at.dim() == 1
    if not fits or (len(at) and (at[0] < 0 or at[-1] >= part.numel or (at.diff() <= 0).any())):
        raise FactrootsError(f"{path}: the entries of {name} lie outside its shape or out of order")
    return part
