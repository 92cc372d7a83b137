"""From a model, a method and examples to a variant on disk; broken off, it goes on where it stopped."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_builders.errors import FactrootsError
from data_builders.folder import lock
from fine_tuning.locating import Located, locate
from fine_tuning.methods.method import Method
from fine_tuning.models import Loaded, load
from fine_tuning.training.fitting import claim
from fine_tuning.training.job import Examples, Job
from fine_tuning.training.schedule import Schedule
from fine_tuning.training.weights import system_errors
from fine_tuning.variants.about import Parent
from fine_tuning.variants.folder import Variant, refuse_existing, write_variant
from fine_tuning.variants.making import base_of, packages

if TYPE_CHECKING:
    from torch import nn

Scores = Callable[[Loaded], dict[str, Callable[["nn.Module"], float]]]


@dataclass(frozen=True)
class Tuning:
    """What is to be made of which model. ``model`` may have variants on it: what is learned is learned on top of them.

    lang : the language that the variant is for, if it is for one. `every` and `patience` are those of
    :class:`~fine_tuning.training.job.Job`.
    """

    model: str
    method: Method
    schedule: Schedule
    lang: str | None = None
    seed: int = 0
    every: int = 0
    patience: int = 0
    device: str = "cpu"


def plan(tuning: Tuning) -> dict[str, Any]:
    """What training would take: parameters, their share of the model's, steps, and megabytes in memory (weights,
    gradients, optimizer, copies; activations come on top), of a checkpoint and of the variant."""
    loaded = load(locate(tuning.model), "float32", "cpu", ("masked", "causal"))
    size = sum(parameter.numel() for parameter in loaded.model.parameters())
    found = tuning.method.plan(loaded.model, tuning.schedule)
    each = 8 if found.stored < found.trained else 4  # a sparse value has its place beside it
    return {
        "model": str(loaded.spec),
        "method": str(tuning.method),
        "parameters": size,
        "trained": found.trained,
        "share": found.trained / size,
        "stored": found.stored,
        "phases": found.phases,
        "batch": tuning.schedule.batch,
        "memory_mb": 4 * (size + found.held) / 1e6,
        "checkpoint_mb": 12 * found.trained / 1e6,
        "disk_mb": each * found.stored / 1e6,
    }


def tune(
    tuning: Tuning,
    examples: Callable[[Loaded, Path], Examples],
    output: Path,
    scores: Scores | None = None,
    command: str = "",
    quiet: bool = False,
    board: Path | None = None,
) -> Variant:
    """Train, and write the variant to `output`, whole or not at all.

    `examples` makes them for the loaded model and may keep files in the folder given. What is under way lies beside
    `output` in ``.NAME.work``, from which the same call goes on after an interruption; then it is removed. `board` is
    a folder for TensorBoard.
    Raises FactrootsError where `output` is there, the work is of other settings, or the examples are too few.
    """
    output = Path(output)
    refuse_existing(output)
    at = locate(tuning.model)
    loaded = load(at, "float32", tuning.device, ("masked", "causal"))
    work = output.with_name(f".{output.name}.work")
    with lock(work, "choose another --output"):
        began = time.monotonic()
        try:
            claim(work / "job.json", _settings(tuning, loaded))
            data = examples(loaded, work / "data")
            _enough(data, tuning.schedule)
            job = Job(loaded, data, tuning.schedule, work, tuning.seed, quiet, tuning.every, tuning.patience, board)
            job.scores = scores(loaded) if scores else {}
            trained = tuning.method.train(job)
        except BaseException:
            if not any(work.glob("*/phase.json")):  # nothing has been trained yet
                shutil.rmtree(work)
            raise
        timing = {
            "command": command,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(sum(phase["seconds"] for phase in job.phases.values()), 3),
            "last_run_seconds": round(time.monotonic() - began, 3),
            "peak_mb": max((phase["peak_mb"] for phase in job.phases.values()), default=None),
            "phases": job.phases,
        }

        def write(folder: Path) -> None:
            with system_errors(folder):
                trained.write(folder)

        about = _about(tuning, at, loaded, data)
        fields = ("kind", "tie", "trained", "stored")
        about |= {name: getattr(trained, name) for name in fields} | {"config": dict(trained.config)}
        made = write_variant(output, write, timing, **about)
        for log in work.glob("*.jsonl"):
            shutil.copy(log, output / log.name)
        shutil.rmtree(work)
    return made


def laid_over(schedule: Schedule, given: Mapping[str, Any]) -> Schedule:
    """A method's schedule with what was given in its place; None is not given."""
    return Schedule(**{**asdict(schedule), **{name: value for name, value in given.items() if value is not None}})


def _settings(tuning: Tuning, loaded: Loaded) -> dict:
    """All that decides what is made, but the examples, which each phase knows."""
    early = {"every": tuning.every, "patience": tuning.patience} if tuning.patience else {}
    return {
        "model": loaded.sha256,
        "method": str(tuning.method),
        "schedule": asdict(tuning.schedule),
        "lang": tuning.lang,
        "seed": tuning.seed,
        **early,
    }


def _enough(data: Examples, schedule: Schedule) -> None:
    """A batch is never filled with one row twice."""
    if len(data.train) < schedule.batch:
        raise FactrootsError(
            f"there are {len(data.train):,} examples to train on, fewer than a batch of {schedule.batch}; "
            "give more text or facts, or pass a smaller --batch"
        )


def _about(tuning: Tuning, at: Located, loaded: Loaded, data: Examples) -> dict[str, Any]:
    return {
        "method": str(tuning.method),
        "base": base_of(at, loaded),
        "parents": [
            Parent(name=variant.folder.name, sha256=variant.about.sha256, scale=scale) for variant, scale in at.variants
        ],
        "lang": tuning.lang,
        "data": data.about,
        "schedule": asdict(tuning.schedule),
        "seed": tuning.seed,
        "packages": packages(),
    }
