"""What every maker of a variant says of the model that it was made for, and of the packages that made it."""

from __future__ import annotations

from importlib.metadata import version

from fine_tuning.bottleneck.placement import HOLDER
from fine_tuning.locating import Located
from fine_tuning.models import Loaded
from fine_tuning.variants.about import Base
from fine_tuning.variants.base import base_sha256, tokenizer_sha256
from fine_tuning.variants.names import is_copy, parameters

#: Packages that can change a variant's numbers.
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "safetensors", "peft")


def base_of(at: Located, loaded: Loaded) -> Base:
    """The record of the model at `at`, loaded with or without variants, which are left out of it."""
    config = loaded.model.config
    return Base(
        spec=str(at.spec.base),
        id=at.id,
        sha256=base_sha256(at.folder),
        tokenizer=tokenizer_sha256(loaded.tokenizer),
        model_type=config.model_type,
        family=loaded.family,
        parameters=sum(
            p.numel()
            for name, p in parameters(loaded.model).items()
            if not is_copy(p) and not name.startswith(f"{HOLDER}.")
        ),
    )


def packages() -> dict[str, str]:
    """Installed versions."""
    return {name: version(name) for name in PACKAGES}
