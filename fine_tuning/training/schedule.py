"""How long and how fast a phase of training is, and how finely it reckons."""

from __future__ import annotations

from dataclasses import dataclass

from data_builders.errors import FactrootsError, unknown

#: float32 throughout; or, in bfloat16, the matrix products of the passes forth and back (torch's autocast), while
#: weights, their gradients, the loss and the optimizer stay in float32.
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a phase trains: AdamW, a linear warm-up over a share of the steps, a linear way down.

    batch : texts a step, made of `accumulate` equal parts. clip : the greatest norm of the gradient, 0 for no limit.
    precision : see :data:`PRECISIONS`; what is asked besides training, held-out losses too, is reckoned in float32.
    """

    steps: int = 1000
    batch: int = 8
    accumulate: int = 1
    rate: float = 5e-5
    warmup: float = 0.0
    decay: float = 0.0
    clip: float = 1.0
    precision: str = "float32"

    def __post_init__(self):
        if min(self.steps, self.batch, self.accumulate) < 1:
            raise FactrootsError("steps, batch and accumulate must be at least 1")
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        if self.batch % self.accumulate:
            raise FactrootsError(f"a batch of {self.batch} cannot be made of {self.accumulate} equal parts")
        if not self.rate > 0 or not 0 <= self.warmup <= 1 or self.decay < 0 or self.clip < 0:
            raise FactrootsError("rate must be above 0, warmup from 0 to 1, decay and clip at least 0")
