"""``adapter_config.json`` of the package `adapters` (BnConfig, 1.3.0), and what this project makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.config import PLACEMENTS, Config

#: What an adapter of this project is by nature; a file that says otherwise means another kind of adapter.
ALWAYS = {
    "original_ln_after": True,
    "residual_before_ln": True,
    "ln_before": False,
    "ln_after": False,
    "is_parallel": False,
    "use_gating": False,
    "phm_layer": False,
    "cross_adapter": False,
    "stochastic_depth": 0.0,
}
#: What `adapters` writes besides, which says nothing of such an adapter.
BESIDES = {
    "adapter_residual_before_ln": False,
    "dropout": 0.0,
    "init_weights_seed": None,
    "factorized_phm_W": True,
    "factorized_phm_rule": False,
    "hypercomplex_nonlinearity": "glorot-uniform",
    "learn_phm": True,
    "phm_bias": True,
    "phm_c_init": "normal",
    "phm_dim": 4,
    "phm_init_range": 0.0001,
    "phm_rank": 1,
    "shared_W_phm": False,
    "shared_phm_rule": True,
}
#: Activation functions in files without a ``version`` (adapter-transformers before 2.0) have other names.
RENAMED = {"gelu": "gelu_new", "gelu_orig": "gelu"}


def from_hub(file: Mapping[str, Any], inverted: bool = True) -> Config:
    """The config in an ``adapter_config.json``; `inverted`: whether its weights hold an invertible adapter, which old
    task adapters' files name and lack.

    Raises FactrootsError for other adaptation methods, and for what bottleneck adapters cannot be here.
    """
    says = file.get("config")
    if not isinstance(says, Mapping) or says.get("architecture") is not None:
        raise FactrootsError("its adapter_config.json describes no bottleneck adapter; only those are imported")
    for key, value in ALWAYS.items():
        if says.get(key, value) != value:
            raise FactrootsError(f"its adapter_config.json has {key} {says[key]!r}; only {value!r} is known here")
    blocks = [b for b, key in (("attention", "mh_adapter"), ("feed_forward", "output_adapter")) if says.get(key)]
    normed = bool(says.get("original_ln_before", False))
    placement = next((name for name, p in PLACEMENTS.items() if p == (tuple(blocks), normed)), None)
    if placement is None:
        raise FactrootsError(
            f"its adapters stand after {' and '.join(blocks) or 'nothing'} with original_ln_before {normed}; known are "
            + ", ".join(f"{name} (after {' and '.join(p.blocks)}, {p.normed})" for name, p in PLACEMENTS.items())
        )
    old = says.get("invertible_adapter") or {}
    kind, inverse = says.get("inv_adapter", old.get("block_type")), says.get("inv_adapter_reduction_factor")
    inverse = old.get("reduction_factor", 2) if inverse is None else inverse
    if inverted and kind not in (None, "nice"):
        raise FactrootsError(f"its invertible adapter is a {kind}; only nice is known here")
    activation = str(says.get("non_linearity")).lower()
    try:
        return Config(
            placement,
            float(says["reduction_factor"]),
            activation if "version" in file else RENAMED.get(activation, activation),
            says.get("init_weights", "bert"),
            float(says.get("scaling", 1.0)),
            float(inverse) if inverted and kind else 0.0,
            leave_out=tuple(sorted(says.get("leave_out") or ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FactrootsError(
            "its adapter_config.json needs one number each for reduction_factor and scaling; it has "
            f"{says.get('reduction_factor')!r} and {says.get('scaling', 1.0)!r}"
        ) from error


def to_hub(config: Config) -> dict[str, Any]:
    """The ``config`` of an ``adapter_config.json``. Raises FactrootsError for what `adapters` has not."""
    if config.residual != "library":
        raise FactrootsError(f"`adapters` has no residual={config.residual}; only residual=library can be written")
    blocks, normed = PLACEMENTS[config.placement]
    return {
        **ALWAYS,
        **BESIDES,
        "mh_adapter": "attention" in blocks,
        "output_adapter": "feed_forward" in blocks,
        "original_ln_before": normed,
        "reduction_factor": config.reduction,
        "non_linearity": config.activation,
        "init_weights": "bert" if config.init == "zero" else config.init,  # which it has no word for
        "scaling": float(config.scaling),
        "leave_out": list(config.leave_out),
        "inv_adapter": "nice" if config.invertible else None,
        "inv_adapter_reduction_factor": config.invertible or None,
    }
