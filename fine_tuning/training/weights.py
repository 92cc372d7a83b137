"""The parameters that are being trained, by name, and their file."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from data_builders.errors import FactrootsError
from fine_tuning.variants.names import parameters

FILE = "trained.safetensors"


def trainables(model, groups: Sequence[dict] | None = None) -> dict[str, nn.Parameter]:
    """Every parameter that learns: the model's by canonical names; of them those in `groups`, if there are such, and
    then what only these know, numbered.

    Raises FactrootsError where there is none, or one is not float32, in which small steps are not lost.
    """
    own = {name: p for name, p in parameters(model).items() if p.requires_grad}
    if groups is not None:
        grouped = {id(p) for group in groups for p in group["params"]}
        own = {name: p for name, p in own.items() if id(p) in grouped}
        seen = {id(p) for p in own.values()}
        for i, group in enumerate(groups):
            more = [p for p in group["params"] if id(p) not in seen]
            own |= {f"group{i}.{j}": p for j, p in enumerate(more)}
    if not own:
        raise FactrootsError("no parameter is to be trained; choose another method, or freeze less")
    if odd := [name for name, p in own.items() if p.dtype != torch.float32]:
        kind = str(own[odd[0]].dtype).removeprefix("torch.")
        raise FactrootsError(f"{odd[0]} is {kind}; training takes float32, so load the model with dtype float32")
    return own


def save(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write them to one safetensors file; equal tensors give equal bytes."""
    from safetensors.torch import save_file

    with system_errors(path):
        save_file({name: t.detach().contiguous() for name, t in tensors.items()}, path)


@contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """What safetensors could not write, as the system said it: a full disk is an OSError."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        code = errno.ENOSPC if "os error 28" in str(error) else errno.EIO
        raise OSError(code, str(error), str(path)) from error


@torch.no_grad()
def restore(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put what :func:`save` wrote into `tensors`. Raises FactrootsError where the file holds others, or is broken."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        kept = load_file(path)
    except (SafetensorError, OSError) as error:
        raise FactrootsError(f"{path} cannot be read: {error}; remove its folder and train again") from error
    if kept.keys() != tensors.keys() or any(kept[name].shape != t.shape for name, t in tensors.items()):
        raise FactrootsError(f"{path} holds other parameters than are trained here; remove its folder and train again")
    for name, tensor in tensors.items():
        tensor.copy_(kept[name])
