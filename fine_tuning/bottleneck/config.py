"""What a bottleneck adapter is: where it stands, how narrow it is, what it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from data_builders.errors import FactrootsError, unknown


class Placement(NamedTuple):
    """After which sub-blocks of a layer adapters stand, and whether they read the layer's norm of the residual sum
    (``normed``) or the sub-block's own output."""

    blocks: tuple[str, ...]
    normed: bool


#: houlsby: Houlsby et al. (2019), ``double_seq_bn`` of the package `adapters`, LN(s + A(h)) after both sub-blocks.
#: pfeiffer: Pfeiffer et al. (2021), ``seq_bn``, LN(s + A(LN(s))) after the feed-forward one. Here h is what the
#: sub-block says, s = h + residual, LN the layer's own norm; decoders have none there, and A reads s itself.
PLACEMENTS = {
    "houlsby": Placement(("attention", "feed_forward"), False),
    "pfeiffer": Placement(("feed_forward",), True),
}
INITS = ("bert", "mam_adapter", "houlsby", "zero")
#: library: an adapter adds to what those beneath it made of the sub-block's output, as `adapters` stacks. paper: it
#: reads that, unnormed, and adds to the sub-block's output itself (MAD-X, Pfeiffer et al. 2020, section 4.2).
RESIDUALS = ("library", "paper")


@dataclass(frozen=True)
class Parts:
    """An adapter A(z) = scaling · (W_up f(W_down z + b_down) + b_up) of int(width // reduction) units in each place.

    activation : f, as transformers names it, or ``leakyrelu``. init : see :func:`fine_tuning.bottleneck.modules.start`.
    invertible : the reduction of the NICE adapter at the embeddings, 0 for none. residual : see :data:`RESIDUALS`.
    Raises FactrootsError for what cannot be built.
    """

    placement: str = "pfeiffer"
    reduction: float = 16.0
    activation: str = "relu"
    init: str = "bert"
    scaling: float = 1.0
    invertible: float = 0.0
    residual: str = "library"

    def __post_init__(self):
        from fine_tuning.bottleneck.activations import ACTIVATIONS  # with torch, which a spec is read without

        for kind, name, known in (
            ("placement", self.placement, PLACEMENTS),
            ("activation", self.activation, ACTIVATIONS),
            ("init", self.init, INITS),
            ("residual", self.residual, RESIDUALS),
        ):
            if name not in known:
                raise unknown(kind, name, known)
        if not (0 < self.reduction < float("inf") and 0 <= self.invertible < float("inf")):
            raise FactrootsError("reduction must be above 0, and invertible above it or 0 for no invertible adapter")
        if not abs(self.scaling) < float("inf"):
            raise FactrootsError(f"scaling must be a number, got {self.scaling}")


@dataclass(frozen=True)
class Config(Parts):
    """The adapters of a model. leave_out : numbers of layers without one."""

    leave_out: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "leave_out": list(self.leave_out)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Config:
        """Read what :meth:`as_json` wrote; what else a variant's config says is left out."""
        own = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        if missing := sorted({field.name for field in fields(cls)} - own.keys()):
            raise FactrootsError(f"the adapter's config lacks {', '.join(missing)}")
        try:
            return cls(**{**own, "leave_out": tuple(own["leave_out"])})
        except TypeError as error:
            raise FactrootsError(f"the adapter's config says what it cannot: {error}") from error
