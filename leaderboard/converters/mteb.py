"""Results as mteb writes them: ``<model>/<revision>/<task>.json``, a submission for each task and split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_builders.errors import FactrootsError
from leaderboard.converters.reading import a_share, number, plain, read_object, signed
from leaderboard.submission import Submission, Told, ToldLanguage

ORIGIN = "mteb"
_OTHERS = ("model_meta.json", "run_settings.json")
_UNVERIFIED = ("answers", "number of facts", "interval", "facts and their hash", "weights and their hash", "command")


def read(path: Path, into: Path) -> Iterator[tuple[Submission, None]]:
    """A task's file, or all in a folder. The overall value is the mean of its subsets' main scores, as in mteb."""
    path = Path(path)
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*.json") if p.name not in _OTHERS)
    if not files:
        raise FactrootsError(f"{path}: holds no task's file (<task>.json)")
    for file in files:
        held = read_object(file)
        if not isinstance(held.get("scores"), dict) or not isinstance(held.get("task_name"), str):
            raise FactrootsError(f"{file}: is no result of mteb (no task_name and scores)")
        for split, subsets in held["scores"].items():
            yield _submission(file, held, split, subsets), None


def _submission(file: Path, held: dict[str, Any], split: str, subsets: Any) -> Submission:
    where, task = f"{file.name}: {split}", held["task_name"]
    if not isinstance(subsets, list) or not subsets or not all(isinstance(one, dict) for one in subsets):
        raise FactrootsError(f"{where} has no subsets")
    values = [a_share(one.get("main_score"), f"{where}: main_score") for one in subsets]
    languages = [
        ToldLanguage(lang=_language(one), value=value, n=None) for one, value in zip(subsets, values, strict=True)
    ]
    meta = _meta(file)
    model = {"spec": plain(meta["name"]), "revision": meta["revision"]}
    metric, protocol = "main_score", f"{task}({split})"
    signature = signed(
        ORIGIN,
        task=task,
        split=split,
        dataset=held.get("dataset_revision"),
        subsets=";".join(language.lang for language in languages),
        protocol=protocol,
        model=model["spec"],
        revision=model["revision"],
        version=held.get("mteb_version"),
    )
    result = Told(
        signature=signature,
        metric=metric,
        value=sum(values) / len(values),
        stderr=None,
        n_scored=None,
        protocol=protocol,
        languages=languages,
        model=model,
        data={"spec": task, "revision": held.get("dataset_revision")},
        code={"version": held.get("mteb_version")},
    )
    return Submission(
        result=result,
        n=None,
        answers=None,
        origin=ORIGIN,
        unverified=list(_UNVERIFIED),
        seconds=number(held.get("evaluation_time")),
        parameters=number(meta["parameters"], int) or None,
    )


def _language(subset: dict[str, Any]) -> str:
    """A subset by its name, which may be of two languages; the only one by its language."""
    name, langs = subset.get("hf_subset", "default"), subset.get("languages")
    return str(langs[0]) if name == "default" and isinstance(langs, list) and len(langs) == 1 else str(name)


def _meta(file: Path) -> dict[str, Any]:
    """The model by its ``model_meta.json``, or else by the folders that the file lies in."""
    beside = file.with_name("model_meta.json")
    held = read_object(beside) if beside.exists() else {}
    folder = file.absolute().parent
    return {
        "name": held.get("name") or folder.parent.name.replace("__", "/"),
        "revision": held.get("revision") or folder.name,
        "parameters": held.get("n_parameters"),
    }
