"""From a model's one string to the folder that holds it, in the cache or on disk, fetched or converted if need be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError
from fine_tuning.hub import fetch_model
from fine_tuning.model_spec import ModelSpec
from fine_tuning.packages import PACKAGED
from fine_tuning.variants.folder import Variant, is_variant, read_variant


class Located(NamedTuple):
    """Where a model lies, and what its place says of it.

    ``revision`` is a hub's commit, or a GGUF file's SHA-256; ``quantization`` that file's, as Q4_K_M, None for others;
    ``variants`` are applied in order, each so many times.
    """

    spec: ModelSpec
    folder: Path
    id: str
    revision: str | None
    quantization: str | None = None
    variants: tuple[tuple[Variant, float], ...] = ()


def locate(text: str) -> Located:
    """Where the model is, once it is there; raises FactrootsError when it, or a variant of it, cannot be had."""
    spec = ModelSpec.parse(text)
    variants = tuple((read_variant(Path(folder)), scale) for folder, scale in spec.variants)
    return _locate(spec.base)._replace(spec=spec, variants=variants)


def _locate(spec: ModelSpec) -> Located:
    if spec.name in PACKAGED or spec.is_gguf:
        from fine_tuning.gguf import about, convert_file, convert_packaged

        folder = convert_packaged(spec.name) if spec.name in PACKAGED else convert_file(Path(spec.name))
        known = about(folder)
        return Located(spec, folder, spec.name, known["sha256"], known["quantization"])
    folder = Path(spec.location) if spec.is_local else fetch_model(spec)
    if is_variant(folder):
        base = read_variant(folder).about.base.spec
        raise FactrootsError(f"{folder} is a variant of a model, no model; pass --model {base}+{folder}")
    _refuse_pickles(spec, folder)
    if spec.is_local:
        return Located(spec, folder, spec.name, spec.revision)
    return Located(spec, folder, spec.location, folder.name)  # the hub's cache names a snapshot by its commit


def _refuse_pickles(spec: ModelSpec, folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")):
        raise FactrootsError(
            f"model {spec} has only pickled weights (*.bin), which are never opened; where you trust them, load them "
            "with transformers' class for this model and write them anew: model.save_pretrained(DIR)"
        )
    if quantised := sorted(folder.glob("*.gguf")):
        raise FactrootsError(f"model {spec} holds no *.safetensors; for its GGUF file, pass --model {quantised[0]}")
    raise FactrootsError(f"model {spec}: {folder} holds no *.safetensors")
