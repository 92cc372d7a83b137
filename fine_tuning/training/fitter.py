"""transformers' Trainer, with our loss, and checkpoints that hold what is trained and nothing else."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerState

from data_builders.errors import FactrootsError
from fine_tuning.training import weights
from fine_tuning.training.job import Job
from fine_tuning.training.log import Log
from fine_tuning.training.loss import asked, mean_loss, summed_loss
from fine_tuning.training.schedule import Schedule

STATE, CALLBACKS = "trainer_state.json", "callbacks.pt"


class Fitter(Trainer):
    """One phase of `job`, which trains `trained`; the rows come in the order of ``job.draws``."""

    def __init__(self, job: Job, schedule: Schedule, trained: dict, log: Log, **kwargs):
        self.job, self.trained, self.written = job, trained, log
        self.causal, self.rounded = job.loaded.family == "causal", schedule.precision == "bfloat16"
        super().__init__(model=job.loaded.model, **kwargs)
        self.model_accepts_loss_kwargs, self.loss_is_scaled_for_ga = False, True

    def _get_train_sampler(self, *_, **__):
        return SequentialSampler(self.train_dataset)

    def _get_num_items_in_batch(self, batch_samples, device):
        """The asked tokens of a whole step: each counts the same, however the step is cut into parts."""
        return sum(len(asked(batch["labels"], self.causal)[1]) for batch in batch_samples)

    def _get_grad_norm(self, *_, **__):
        return None  # Log measures it, after the methods' callbacks

    def floating_point_ops(self, inputs):
        return 0

    def training_step(self, model, inputs, num_items_in_batch=None):
        with self.job.speaking(inputs.pop("lang", None)):
            return super().training_step(model, inputs, num_items_in_batch)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        # Trainer's own bf16 would leave the model with a forward that rounds for good.
        with torch.autocast(model.device.type, torch.bfloat16, enabled=self.rounded):
            loss = summed_loss(model, inputs, self.causal)[0] / max(1, num_items_in_batch)
        if not math.isfinite(value := float(loss.detach())):
            raise self.written.diverged("the loss", value, self.state.global_step + 1)
        self.written.loss += value
        return loss

    def evaluate(self, *_, **__) -> dict[str, float]:
        """The held-out loss and the job's scores, which leave the random numbers of training alone."""
        job, held = self.job, self.job.examples.held
        training = self.model.training
        self.model.eval()
        with torch.random.fork_rng():
            found = {}
            if held is not None:
                found["loss"] = mean_loss(self.model, held, job.collate, job.schedule.batch, self.causal, job.speaking)
            found |= {name: score(self.model) for name, score in job.scores.items()}
        self.model.train(training)
        if not math.isfinite(found.get("loss", 0.0)):
            raise self.written.diverged("the held-out loss", found["loss"], self.state.global_step)
        self.written.write(self.state.global_step, **{"held_loss" if k == "loss" else k: v for k, v in found.items()})
        metrics = {f"eval_{name}": value for name, value in found.items()}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save_checkpoint(self, model, trial):
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        needed = 12 * sum(p.numel() for p in self.trained.values()) + 2**20  # with AdamW's two moments
        try:
            if (free := shutil.disk_usage(self.args.output_dir).free) < needed:
                raise OSError(f"it needs {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} are free")
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError) as error:  # torch wraps the system's own
            shutil.rmtree(folder, ignore_errors=True)
            raise FactrootsError(
                f"cannot write {folder}: {error}; make room, and the same command goes on from the step kept last"
            ) from error

    def _save(self, output_dir=None, state_dict=None):
        folder = Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        weights.save(folder / weights.FILE, self.trained)
        torch.save([c.state_dict() for c in self._stateful()], folder / CALLBACKS)

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None):
        folder = Path(resume_from_checkpoint)
        weights.restore(folder / weights.FILE, self.trained)
        for callback, state in zip(self._stateful(), torch.load(folder / CALLBACKS, weights_only=True), strict=True):
            callback.load_state_dict(state)

    def _load_best_model(self):
        best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
        weights.restore(best / weights.FILE, self.trained)

    def _stateful(self) -> Sequence:
        """The callbacks that have something to be kept: a ``state_dict`` of tensors and plain values."""
        return [c for c in self.callback_handler.callbacks if hasattr(c, "load_state_dict")]


def newest(folder: Path) -> tuple[Path, TrainerState] | None:
    """The last whole checkpoint in `folder`; what a kill left half-written is removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.partition("-")[2]), reverse=True)
    for path in found:
        try:
            return path, TrainerState.load_from_json(str(path / STATE))  # which is written last
        except (OSError, ValueError, TypeError):
            shutil.rmtree(path)
    return None
