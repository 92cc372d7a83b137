"""Results of lm-evaluation-harness (0.4): ``results_<time>.json``, a submission for each task and accuracy in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_builders.errors import FactrootsError
from leaderboard.converters.reading import a_share, number, plain, read_object, signed
from leaderboard.submission import Submission, Told

ORIGIN = "lm-eval"
#: Metrics that are shares of right answers; what is left (perplexity, F1, bleu) is no answer to a question of ours.
METRICS = ("acc", "acc_norm", "exact_match", "em", "pass@1", "acc_mutual_info", "acc_bytes")
_UNVERIFIED = ("answers", "interval", "languages", "facts and their hash", "weights and their hash", "command")


def read(path: Path, into: Path) -> Iterator[tuple[Submission, None]]:
    """Every task's every metric of :data:`METRICS`, the filter in its name, as ``acc,none``."""
    held = read_object(Path(path))
    if not isinstance(held.get("results"), dict) or "configs" not in held:
        raise FactrootsError(f"{path}: is no results file of lm-evaluation-harness (no results and configs)")
    found = 0
    for task, values in held["results"].items():
        for metric in values if isinstance(values, dict) else ():
            if metric.partition(",")[0] in METRICS:
                found += 1
                yield _submission(held, task, values, metric), None
    if not found:
        raise FactrootsError(f"{path}: has no {', '.join(METRICS)} of any task")


def _submission(held: dict[str, Any], task: str, values: dict[str, Any], metric: str) -> Submission:
    name, _, kept = metric.partition(",")
    config = _dict(held, "config")
    n = number(_dict(_dict(held, "n-samples"), task).get("effective"), int)
    task_version, shots = _dict(held, "versions").get(task), _dict(held, "n-shot").get(task)
    revision = config.get("model_sha") or None
    model = {"spec": plain(_model(held, config)), "revision": revision, "dtype": _dtype(config)}
    data = {"spec": task, "task_version": None if task_version is None else str(task_version), "n": n}
    hashed = str(_dict(held, "task_hashes").get(task) or "")[:16] or None
    signature = signed(
        ORIGIN,
        task=task,
        metric=metric,
        task_version=task_version,
        task_hash=hashed,
        shots=shots,
        limit=config.get("limit"),
        protocol=metric,
        model=model["spec"],
        revision=revision,
        version=held.get("lm_eval_version"),
    )
    result = Told(
        signature=signature,
        metric=name,
        value=a_share(values[metric], f"{task}: {metric}"),
        stderr=number(values.get(f"{name}_stderr,{kept}")),
        n_scored=n,
        protocol=metric,
        languages=[],
        model=model,
        data=data,
        code={"version": held.get("lm_eval_version"), "commit": held.get("git_hash")},
    )
    return Submission(
        result=result,
        n=n,
        answers=None,
        origin=ORIGIN,
        unverified=list(_UNVERIFIED) if n is not None else ["number of facts", *_UNVERIFIED],
        started=_started(held),
        seconds=number(held.get("total_evaluation_time_seconds")),
        parameters=number(config.get("model_num_parameters"), int) or None,
    )


def _dict(held: dict[str, Any], key: str) -> dict[str, Any]:
    found = held.get(key)
    return found if isinstance(found, dict) else {}


def _model(held: dict[str, Any], config: dict[str, Any]) -> str:
    """The model's name. All other arguments stay where they are: a key to an API may be among them."""
    if held.get("model_name"):
        return str(held["model_name"])
    given = config.get("model_args")
    if isinstance(given, str):
        given = dict(word.partition("=")[::2] for word in given.split(","))
    if isinstance(given, dict) and (named := given.get("pretrained") or given.get("model")):
        return str(named)
    raise FactrootsError("its config names no model (model_name, or pretrained= among model_args)")


def _dtype(config: dict[str, Any]) -> str | None:
    return str(config["model_dtype"]).removeprefix("torch.") if config.get("model_dtype") else None


def _started(held: dict[str, Any]) -> str | None:
    seconds = number(held.get("date"))
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds and seconds < 2**33 else None
