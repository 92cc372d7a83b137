"""Training a phase of a job: from its last checkpoint, if there is one, to its result, which is kept."""

from __future__ import annotations

import json
import resource
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_atomically, write_json
from data_builders.progress import progress
from fine_tuning.training import weights
from fine_tuning.training.arguments import arguments, optimizer
from fine_tuning.training.job import Job
from fine_tuning.training.schedule import Schedule

#: A finished phase: what was trained, and how it went.
FINAL, DONE = "final.safetensors", "done.json"


def fit(
    job: Job,
    phase: str,
    schedule: Schedule,
    callbacks: Sequence = (),
    groups: Iterable[dict] | None = None,
) -> None:
    """See :meth:`fine_tuning.training.job.Job.fit`. ``job.phases[phase]`` is then how it went.

    Raises FactrootsError where nothing is to be trained, where the folder holds a phase of other settings, and where
    a loss is no number any more: then the last checkpoint is kept.
    """
    model, groups = job.loaded.model, list(groups) if groups is not None else None
    folder = (job.folder / phase).resolve()
    trained = weights.trainables(model, groups)
    _check(job, schedule)
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder / "phase.json", _settings(job, schedule, callbacks, groups, trained))
    if not (folder / DONE).is_file():
        _train(job, folder, schedule, list(callbacks), groups, trained)
        write_atomically(folder / FINAL, lambda part: weights.save(part, trained))
        write_json(folder / DONE, _how_it_went(job.folder / f"{phase}.jsonl", bool(job.patience)))
        for path in folder.glob("checkpoint-*"):
            shutil.rmtree(path)
    weights.restore(folder / FINAL, trained)
    model.eval()
    job.phases[phase] = read_json(folder / DONE)


def _train(job, folder, schedule, callbacks, groups, trained) -> None:
    from transformers import PrinterCallback

    from fine_tuning.training.fitter import Fitter, newest
    from fine_tuning.training.log import Log, stalled

    model, held = job.loaded.model, job.examples.held
    use_cache = getattr(model.config, "use_cache", None)
    with progress(job.quiet, "steps") as bar:
        log = Log(job.folder / f"{folder.name}.jsonl", bar, schedule, list(trained.values()), job.patience, job.board)
        fitter = Fitter(
            job,
            schedule,
            trained,
            log,
            args=arguments(job, folder, schedule),
            data_collator=job.collate,
            train_dataset=job.draws(schedule.steps * schedule.batch, schedule.batch),
            eval_dataset=held if held is not None else job.examples.train,
            callbacks=[*callbacks, log],
            optimizers=(None if groups is None else optimizer(groups, schedule), None),
        )
        fitter.remove_callback(PrinterCallback)
        try:
            found = newest(folder)
            if found and stalled(found[1], job.patience, job.every):  # killed between the last step and the result
                fitter.state = found[1]
                fitter._load_best_model()
            else:
                fitter.train(resume_from_checkpoint=str(found[0]) if found else None)
        finally:
            if use_cache is not None:
                model.config.use_cache = use_cache


def _check(job: Job, schedule: Schedule) -> None:
    if job.loaded.family not in ("masked", "causal"):
        raise FactrootsError(
            f"model {job.loaded.spec} is a {job.loaded.family} model; only masked and causal ones are trained"
        )
    if not len(job.examples.train):
        raise FactrootsError("there is nothing to train on; give more text or facts")
    if job.patience and (job.examples.held is None or not job.every):
        raise FactrootsError("--patience needs text that is held out (--held) and how often to ask it (--every)")
    if job.board:
        from fine_tuning.training.log import summary_writer

        summary_writer()


def _settings(job: Job, schedule: Schedule, callbacks, groups, trained) -> dict:
    """All that decides what a phase makes."""
    return {
        "model": job.loaded.sha256,
        "data": job.examples.about,
        "schedule": asdict(schedule),
        "seed": job.seed,
        "early stopping": [job.every, job.patience] if job.patience else None,
        "callbacks": [type(callback).__name__ for callback in callbacks],
        "rates": None if groups is None else [group.get("lr", schedule.rate) for group in groups],
        "parameters": {name: list(p.shape) for name, p in trained.items()},
    }


def claim(path: Path, settings: dict) -> None:
    """Make the folder of `path` that of these settings, or find that it is already.

    Raises FactrootsError, naming what differs, where it is another's.
    """
    if not path.is_file():
        write_json(path, settings)
    elif (held := read_json(path)) != settings:
        differ = ", ".join(sorted(k for k in held.keys() | settings.keys() if held.get(k) != settings.get(k)))
        raise FactrootsError(
            f"{path.parent} holds a training of other settings (its {differ} differ); "
            "remove it, or choose another --output"
        )


def _how_it_went(log: Path, best: bool) -> dict:
    """Steps, seconds, the last loss, held-out loss and scores, the process's peak memory so far in MB, and the step
    that was kept: the last, or the one whose held-out loss is least."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    went = {key: value for line in lines for key, value in line.items()}
    held = [line for line in lines if "held_loss" in line]
    if best:
        went |= min(held, key=lambda line: line["held_loss"]) | {key: went[key] for key in ("step", "seconds")}
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KB here
    went["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
    went["kept"] = min(held, key=lambda line: line["held_loss"])["step"] if best else went["step"]
    return {"steps" if key == "step" else key: value for key, value in went.items()}
