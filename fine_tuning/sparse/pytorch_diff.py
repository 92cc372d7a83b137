"""composable-sft's file, ``pytorch_diff.bin``: sparse differences, and whole tensors that take a parameter's place.

``{"diffs": {name: {"size", "index_steps", "values"}}, "abs": {name: tensor}}``: indices are flat with the first
dimension fastest, each as its distance from the one before, the first a numpy number (its ``encode_sparse_tensor``).
"""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_builders.errors import FactrootsError
from fine_tuning.variants.delta import Delta, Part, Sparse, count
from fine_tuning.variants.delta_file import read_delta, write_delta
from fine_tuning.variants.folder import Variant, refuse_existing, write_variant, write_whole
from fine_tuning.variants.names import is_tied, parameters

FILE = "pytorch_diff.bin"


def import_pytorch_diff(folder: Path, model_spec: str, output: Path, head: bool = True) -> Variant:
    """Make a variant of `model_spec`, whose head is given a copy of the embeddings as it was when such files are made.

    head : take the tensors of ``abs`` too, which are the retrained head; of two variants with heads no sum makes sense.
    Nothing in the file is run. Raises FactrootsError where it is none, or does not fit the model.
    """
    from fine_tuning.locating import locate
    from fine_tuning.methods.lt_sft import LtSft
    from fine_tuning.models import load
    from fine_tuning.variants.making import base_of, packages

    folder = Path(folder)
    refuse_existing(output)
    diffs, whole = read(folder / FILE)
    at = locate(model_spec)
    if at.variants:
        raise FactrootsError(f"differences are imported for a model without variants; pass --model {at.spec.base}")
    loaded = load(at)
    delta: Delta = {}
    try:
        for name, part in diffs.items():
            own, parameter = _own(loaded.model, name, part.shape)
            delta[own] = part
        for name, values in whole.items() if head else ():
            own, parameter = _own(loaded.model, name, values.shape)
            delta[own] = values.float() - parameter.detach()
    except FactrootsError as error:
        raise FactrootsError(f"{folder / FILE}: {error}") from error
    kept = count(delta)
    return write_variant(
        output,
        partial(write_delta, delta=delta),
        kind="delta",
        method=str(LtSft(k=sum(len(part.values) for part in diffs.values()))),
        base=base_of(at, loaded),
        tie="untied" if is_tied(loaded.model) else "separate",
        data={"composable-sft": folder.resolve().name, "head": head and bool(whole)},
        trained=kept,
        stored=kept,
        packages=packages(),
    )


def export_pytorch_diff(variant: Variant, folder: Path) -> None:
    """Write a variant of kind ``delta`` as a folder that ``SFT(folder).apply(model)`` of composable-sft reads.

    All of it goes to ``diffs``, so that it adds to any model. One whose ``tie`` is ``untied`` wants a model whose head
    has a copy of the embeddings. Raises FactrootsError for other kinds, and where something is in the way.
    """
    if variant.about.kind != "delta":
        raise FactrootsError(
            f"{variant.folder} is a {variant.about.kind}, no difference of weights; choose another --to"
        )
    encoded = {name: encode(part) for name, part in read_delta(variant.folder).items()}
    write_whole(folder, lambda part: torch.save({"diffs": encoded, "abs": {}}, part / FILE))


def read(path: Path) -> tuple[dict[str, Sparse], dict[str, Tensor]]:
    """The sparse differences and the whole tensors of a file. Raises FactrootsError where it is none, or is broken."""
    try:
        with torch.serialization.safe_globals(_numbers()):
            found = torch.load(path, map_location="cpu", weights_only=True)
        diffs = {name: decode(entry) for name, entry in found["diffs"].items()}
        whole = dict(found["abs"])
        if not all(isinstance(tensor, Tensor) for tensor in whole.values()):
            raise ValueError("what is in abs are no tensors")
    except (
        OSError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as e:
        first = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise FactrootsError(f"{path} is no file of composable-sft's that can be read: {first}") from e
    return diffs, whole


def encode(part: Part) -> dict:
    """One tensor's entries that are not zero, as composable-sft has them; all numbers are Python's own."""
    whole = isinstance(part, Sparse)
    flat = part.indices if whole else part.flatten().nonzero()[:, 0]
    values = part.values if whole else part.flatten()[flat]
    columns = np.ravel_multi_index(np.unravel_index(flat.numpy(), part.shape), part.shape, order="F")
    order = np.argsort(columns, kind="stable")
    steps = np.diff(columns[order], prepend=0)
    return {"size": torch.Size(part.shape), "index_steps": steps.tolist(), "values": values[torch.from_numpy(order)]}


def decode(entry: dict) -> Sparse:
    """The other way. Raises ValueError where an index lies outside or comes twice, or a value is not finite."""
    shape = tuple(entry["size"])
    values = torch.as_tensor(entry["values"]).float()
    columns = np.cumsum(np.asarray(entry["index_steps"], np.int64))
    if values.dim() != 1 or len(columns) != len(values) or (np.diff(columns) <= 0).any():
        raise ValueError("indices and values do not fit each other")
    if not values.isfinite().all():
        raise ValueError("a value is not finite")
    # numpy raises for what lies outside the shape.
    rows = torch.from_numpy(np.ravel_multi_index(np.unravel_index(columns, shape, order="F"), shape))
    order = rows.argsort()
    return Sparse(rows[order], values[order], shape)


def _own(model, name: str, shape) -> tuple[str, Tensor]:
    """The canonical name of the parameter that the file calls `name`, and the parameter."""
    try:
        parameter = model.get_parameter(name)
    except AttributeError as error:
        raise FactrootsError(
            f"the model has no {name}; name the model it was made for, or leave the head out"
        ) from error
    if tuple(parameter.shape) != tuple(shape):
        raise FactrootsError(f"{name} has shape {list(shape)}, in the model {list(parameter.shape)}")
    return next((own, p) for own, p in parameters(model).items() if p is parameter)


def _numbers() -> list:
    """What a pickled numpy number needs, under numpy 1's names too, and nothing that runs code."""
    scalar = np._core.multiarray.scalar
    kinds = [type(np.dtype(kind)) for kind in ("int64", "int32")]
    return [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"), np.dtype, *kinds]
