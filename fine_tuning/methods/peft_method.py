"""Methods that peft has: its layers are trained in the live model, which is clean again afterwards."""

from __future__ import annotations

from functools import partial

from fine_tuning.methods.method import Method, Plan, Trained
from fine_tuning.methods.peft_folder import as_dict, write
from fine_tuning.methods.peft_layers import injected, weights
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.names import tie_of


class PeftMethod(Method):
    """What lora and ia3 share; they differ by :meth:`config`."""

    def config(self, model):
        """peft's config for `model`; masked LMs have no task type there."""
        raise NotImplementedError

    def plan(self, model, schedule: Schedule) -> Plan:
        with injected(model, self.config(model)):
            size = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        return Plan(size, size, 4 * size, {"train": schedule.steps})  # themselves, gradient, Adam's two moments

    def train(self, job: Job) -> Trained:
        model, spec = job.loaded.model, job.loaded.spec.base
        config, tie = self.config(model), tie_of(model)
        config.base_model_name_or_path = spec.name if spec.is_local else spec.location
        config.revision = spec.revision
        with injected(model, config, job.seed):
            job.fit("train")
            state = weights(model)
        size = sum(tensor.numel() for tensor in state.values())
        saved = as_dict(config, type(model))
        return Trained("peft", partial(write, state=state, config=saved), tie, size, size, saved)
