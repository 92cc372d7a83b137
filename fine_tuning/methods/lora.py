"""LoRA (Hu et al. 2022) through peft: W + alpha/rank · B A, learned at some of the weight matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fine_tuning.methods.peft_method import PeftMethod
from fine_tuning.training.schedule import Schedule


@dataclass(frozen=True)
class Lora(PeftMethod):
    """peft's defaults; the schedule is the paper's for RoBERTa base.

    targets : ends of modules' names; by default the architecture's in peft (queries and values).
    """

    name: ClassVar[str] = "lora"
    schedule: ClassVar[Schedule] = Schedule(rate=4e-4, warmup=0.06)
    rank: int = 8
    alpha: int = 8
    dropout: float = 0.0
    targets: tuple[str, ...] = ()

    def config(self, model):
        from peft import LoraConfig

        return LoraConfig(
            r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout, target_modules=list(self.targets) or None
        )
