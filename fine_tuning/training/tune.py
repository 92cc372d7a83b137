"""From a model, a method and examples to a variant on disk; broken off, it goes on where it stopped."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_builders.folder import lock
from fine_tuning.locating import Located, locate
from fine_tuning.methods.method import Method
from fine_tuning.model_spec import Scaled
from fine_tuning.models import Loaded, check_variants, load
from fine_tuning.training.drawing import check_enough
from fine_tuning.training.fitting import claim
from fine_tuning.training.job import Examples, Job
from fine_tuning.training.languages import Languages
from fine_tuning.training.schedule import Schedule
from fine_tuning.training.weights import system_errors
from fine_tuning.variants.about import Parent
from fine_tuning.variants.folder import Variant, read_variant, refuse_existing, write_variant
from fine_tuning.variants.making import base_of, packages

if TYPE_CHECKING:
    from torch import nn

#: Language variants, and how many times each is applied.
Spoken = Mapping[str, tuple[Variant, float]]
#: Makes what is asked while training, by name.
Scores = Callable[[Job], dict[str, Callable[["nn.Module"], float]]]


@dataclass(frozen=True)
class Tuning:
    """What is to be made of which model. ``model`` may have variants on it: what is learned is learned on top of them.

    lang : the language that the variant is for, if it is for one. `every` and `patience` are those of
    :class:`~fine_tuning.training.job.Job`. languages : variants by language, each on the model for the batches of its
    language alone (:mod:`fine_tuning.training.languages`).
    """

    model: str
    method: Method
    schedule: Schedule
    lang: str | None = None
    seed: int = 0
    every: int = 0
    patience: int = 0
    device: str = "cpu"
    languages: tuple[tuple[str, Scaled], ...] = ()


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
    Raises FactrootsError where `output` is there, the work is of other settings, the examples are too few, or they are
    not of the languages that there are variants for.
    """
    output = Path(output)
    refuse_existing(output)
    at = locate(tuning.model)
    loaded = load(at, "float32", tuning.device, ("masked", "causal"))
    spoken = {lang: (read_variant(Path(folder)), scale) for lang, (folder, scale) in tuning.languages}
    if spoken:
        check_variants(at._replace(variants=tuple(spoken.values())), loaded.tokenizer)
    work = output.with_name(f".{output.name}.work")
    with lock(work, "choose another --output"):
        began = time.monotonic()
        try:
            claim(work / "job.json", _settings(tuning, loaded, spoken))
            data = examples(loaded, work / "data")
            check_enough(data.train, tuning.schedule.batch, spoken)
            job = Job(loaded, data, tuning.schedule, work, tuning.seed, quiet, tuning.every, tuning.patience, board)
            job.languages = Languages(loaded.model, spoken) if spoken else None
            job.scores = scores(job) if scores else {}
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

        about = _about(tuning, at, loaded, data, spoken)
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


def _settings(tuning: Tuning, loaded: Loaded, spoken: Spoken) -> dict:
    """All that decides what is made, but the examples, which each phase knows."""
    early = {"every": tuning.every, "patience": tuning.patience} if tuning.patience else {}
    languages = {lang: [variant.about.sha256, scale] for lang, (variant, scale) in spoken.items()}
    return {
        "model": loaded.sha256,
        "method": str(tuning.method),
        "schedule": asdict(tuning.schedule),
        "lang": tuning.lang,
        "seed": tuning.seed,
        **early,
        **({"languages": languages} if languages else {}),
    }


def _about(tuning: Tuning, at: Located, loaded: Loaded, data: Examples, spoken: Spoken) -> dict[str, Any]:
    applied = [(variant, scale, None) for variant, scale in at.variants]
    applied += [(variant, scale, lang) for lang, (variant, scale) in spoken.items()]
    return {
        "method": str(tuning.method),
        "base": base_of(at, loaded),
        "parents": [
            Parent(name=variant.folder.name, sha256=variant.about.sha256, scale=scale, lang=lang)
            for variant, scale, lang in applied
        ],
        "lang": tuning.lang,
        "data": data.about,
        "schedule": asdict(tuning.schedule),
        "seed": tuning.seed,
        "packages": packages(),
    }
