"""Bottleneck adapters as a variant: their file, and putting them onto a loaded model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.config import Config
from fine_tuning.bottleneck.modules import Bottleneck
from fine_tuning.bottleneck.placement import blank, install
from fine_tuning.variants.folder import Variant

FILE = "adapter.safetensors"


def write_weights(folder: Path, weights: Mapping[str, Tensor]) -> None:
    """Write ``folder/adapter.safetensors``, in float32."""
    from safetensors.torch import save_file

    save_file({name: t.detach().float().cpu().contiguous() for name, t in weights.items()}, folder / FILE)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read it back. Raises FactrootsError where it is no such file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(folder / FILE)
    except (SafetensorError, OSError) as error:
        raise FactrootsError(f"{folder / FILE} cannot be read: {error}") from error


def filled(made: Bottleneck, weights: Mapping[str, Tensor]) -> Bottleneck:
    """A blank one with `weights`, frozen. Raises FactrootsError where their names or shapes are others."""
    wanted = {name: tuple(t.shape) for name, t in made.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in weights.items()}
    if wanted != found:
        name = min(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        here, there = (list(x[name]) if name in x else "none" for x in (wanted, found))
        raise FactrootsError(f"{name} has shape {there} among the weights; the model and the config need {here}")
    made.to_empty(device="cpu").load_state_dict(weights)
    return made.requires_grad_(False)


def apply(model, variant: Variant, scale: float) -> Callable[[], None]:
    """Put a variant's adapters onto a model, what they add multiplied by `scale`.

    Raises FactrootsError for a scale other than 1 with an invertible adapter: half of one is the inverse of nothing.
    """
    try:
        config = Config.from_json(variant.about.config)
        if config.invertible and scale != 1:
            raise FactrootsError(
                f"it has an invertible adapter, which cannot be applied {scale:g} times: its inverse before the "
                "vocabulary would not undo it; leave the scale out"
            )
        return install(model, filled(blank(model, config, scale), read_weights(variant.folder)))
    except FactrootsError as error:
        raise FactrootsError(f"{variant.folder}: {error}") from error
