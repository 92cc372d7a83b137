"""(IA)³ (Liu et al. 2022) through peft: keys, values and feed-forward activations, each times a learned vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fine_tuning.methods.peft_method import PeftMethod
from fine_tuning.training.schedule import Schedule

#: Architectures that peft has no defaults for, by those that have the same names.
LIKE = {"xlm-roberta": "roberta", "xlm-roberta-xl": "roberta", "camembert": "roberta", "electra": "bert"}


@dataclass(frozen=True)
class Ia3(PeftMethod):
    """peft's defaults; the schedule is T-Few's (1000 steps of 8, 60 of warm-up, 3e-3), with AdamW for Adafactor.

    targets, feedforward : ends of modules' names; by default the architecture's in peft. At those in `feedforward` too
    the input is multiplied, at the others the output.
    """

    name: ClassVar[str] = "ia3"
    schedule: ClassVar[Schedule] = Schedule(rate=3e-3, warmup=0.06)
    targets: tuple[str, ...] = ()
    feedforward: tuple[str, ...] = ()

    def config(self, model):
        from peft import IA3Config
        from peft.utils.constants import (
            TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING as FEEDFORWARD,
        )
        from peft.utils.constants import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING as TARGETS

        kind = LIKE.get(model.config.model_type, model.config.model_type)
        targets = list(self.targets) or TARGETS.get(kind)
        feedforward = list(self.feedforward) or ([] if self.targets else FEEDFORWARD.get(kind, []))
        return IA3Config(target_modules=targets, feedforward_modules=feedforward)
