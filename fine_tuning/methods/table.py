"""Every method of fine-tuning by its name, imported only when it is used."""

from __future__ import annotations

from importlib import import_module

from data_builders.errors import unknown
from data_builders.spec import Spec
from fine_tuning.methods.method import Method, read_args

#: ``module:class``, a subclass of :class:`~fine_tuning.methods.method.Method`. Adding one is a line.
METHODS = {
    "full": "fine_tuning.methods.full:Full",
    "lt-sft": "fine_tuning.methods.lt_sft:LtSft",
    "lt-sft-task": "fine_tuning.methods.lt_sft:LtSftTask",
    "childtuning-f": "fine_tuning.methods.childtuning:ChildTuningF",
    "childtuning-d": "fine_tuning.methods.childtuning:ChildTuningD",
    "diffpruning": "fine_tuning.methods.diffpruning:DiffPruning",
    "houlsby": "fine_tuning.methods.bottleneck:Houlsby",
    "pfeiffer": "fine_tuning.methods.bottleneck:Pfeiffer",
    "madx-lang": "fine_tuning.methods.madx:MadxLang",
    "madx-task": "fine_tuning.methods.madx:MadxTask",
    "lora": "fine_tuning.methods.lora:Lora",
    "ia3": "fine_tuning.methods.ia3:Ia3",
}


def parse_method(text: str) -> Method:
    """``full``, ``lt-sft(density=0.01)``: a method and its parameters. Raises FactrootsError for what is none."""
    spec = Spec.parse(text)
    if spec.name not in METHODS:
        raise unknown("method", spec.name, METHODS)
    module, name = METHODS[spec.name].split(":")
    return read_args(getattr(import_module(module), name), spec)
