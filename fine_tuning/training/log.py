"""What happens while a phase is trained: a line of JSON a step, a bar, the gradient's limit, and when to stop."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import torch
from transformers import TrainerCallback

from data_builders.errors import FactrootsError
from data_builders.progress import Quiet
from fine_tuning.training.schedule import Schedule

#: At most so many steps of a phase are written down.
LINES = 1000
#: A checkpoint is written at least every so many seconds.
OFTEN = 600


class Log(TrainerCallback):
    """The last of a phase's callbacks, so that the gradient is cut after all others have had their way with it.

    `path` gets a line for steps and evaluations: ``step``, ``loss`` (the mean over the step's asked tokens), ``norm``
    (before it is cut), ``rate``; or ``held_loss`` and scores; and ``seconds`` of training so far.
    """

    def __init__(self, path: Path, bar: Quiet, schedule: Schedule, trained: list, patience: int, board=None):
        self.board = board and summary_writer()(str(board / path.stem))
        self.path, self.bar, self.schedule, self.trained, self.patience = path, bar, schedule, trained, patience
        self.loss, self.norm, self.each = 0.0, 0.0, math.ceil(schedule.steps / LINES)

    def on_train_begin(self, args, state, control, **_):
        lines = [] if not self.path.exists() else self.path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in map(_read, lines) if line and line["step"] <= state.global_step]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self.began = time.monotonic() - (kept[-1]["seconds"] if kept else 0.0)
        self.saved = time.monotonic()
        self.bar.start(self.path.stem, self.schedule.steps)
        self.bar.advance(state.global_step, before=True)

    def on_pre_optimizer_step(self, args, state, control, **_):
        """Cut the gradient to ``schedule.clip``, as ``torch.nn.utils.clip_grad_norm_`` does."""
        grads = [p.grad for p in self.trained if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(grads)
        if not torch.isfinite(norm):
            raise self.diverged("the gradient", float(norm), state.global_step + 1)
        if self.schedule.clip:
            torch.nn.utils.clip_grads_with_norm_(self.trained, self.schedule.clip, norm)
        self.norm, self.rate = float(norm), None

    def on_optimizer_step(self, args, state, control, optimizer=None, lr_scheduler=None, **_):
        self.rate = lr_scheduler.get_last_lr()[0]

    def on_step_end(self, args, state, control, optimizer=None, **_):
        optimizer.zero_grad()  # the trainer does so for the model's own parameters only
        step = state.global_step
        if step % self.each == 0 or step == self.schedule.steps:
            self.write(step, loss=self.loss, norm=self.norm, rate=self.rate)
        self.loss = 0.0
        self.bar.advance(1)
        control.should_save |= time.monotonic() - self.saved > OFTEN

    def on_save(self, args, state, control, **_):
        self.saved = time.monotonic()
        control.should_training_stop |= stalled(state, self.patience, args.eval_steps)

    def write(self, step: int, **values: float) -> None:
        said = {name: value if math.isfinite(value) else None for name, value in values.items()}  # JSON has no NaN
        line = {"step": step, **said, "seconds": round(time.monotonic() - self.began, 3)}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in values.items() if self.board else ():
            self.board.add_scalar(name, value, step)

    def on_train_end(self, args, state, control, **_):
        if self.board:
            self.board.close()

    def diverged(self, what: str, value: float, step: int) -> FactrootsError:
        kept = sorted(int(p.name.partition("-")[2]) for p in self.path.parent.glob(f"{self.path.stem}/checkpoint-*"))
        last = f"step {kept[-1]} is kept in {self.path.with_suffix('')}" if kept else "no step before it is kept"
        return FactrootsError(
            f"{what} is {value} at step {step} of phase {self.path.stem}; {last}; "
            "pass a lower --rate or a longer --warmup, and another --output"
        )


def summary_writer() -> type:
    """The class that writes for TensorBoard. Raises FactrootsError where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise FactrootsError("--tensorboard needs a package: pip install tensorboard") from error
    return SummaryWriter


def stalled(state, patience: int, every: int) -> bool:
    """Whether the held-out loss has not fallen for `patience` evaluations, `every` steps from each other."""
    return bool(patience and state.best_global_step and state.global_step - state.best_global_step >= patience * every)


def _read(line: str) -> dict | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:  # the torn tail of a killed run
        return None
