"""From a finished run to a submission: its record, its judged answers by name, and what else its folder tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from leaderboard import answers
from leaderboard.files import sha256_of
from leaderboard.submission import OURS, Answers, Submission, Variant, part
from probe.passes import DEFAULT
from probe.protocols import Protocol
from probe.results import Result, read_result
from probe.scores import judge, score
from probe.store import Store

#: JSON files of a run's folder that are no records.
_OTHERS = ("run.json", "timing.json")


def results_of(path: Path, protocols: tuple[str, ...] = ()) -> tuple[Store, list[Result]]:
    """A run's records: the one that is named, those of `protocols` (made where missing), or all in its folder.

    A folder without any has that of the default protocol made, and nothing is written into it.
    """
    path = Path(path)
    store = Store(path if path.is_dir() else path.parent)
    run = store.read()
    if "intervened" in run:
        raise FactrootsError(
            f"{store.folder} is of a model whose states were changed at a layer; submit a run without that"
        )
    if path.is_file():
        return store, [read_result(path)]
    kept = [read_result(p) for p in sorted(path.glob("*.json")) if p.name not in _OTHERS]
    if not protocols and kept:
        return store, kept
    named = [Protocol.parse(text) for text in protocols or [DEFAULT[run["model"]["family"]]]]
    found = []
    for protocol in named:
        own = [result for result in kept if result.protocol == str(protocol)]
        found += own or [score(store, protocol)]
    return store, found


def submission_of(store: Store, result: Result, folder: Path, note: str = "") -> tuple[Submission, Path]:
    """A submission of one of a run's records, and its per-item file, written into `folder`.

    The record goes in as it is; whether it follows from the answers is checked with all else.
    """
    protocol = Protocol.parse(result.protocol)
    path = Path(folder) / "answers.parquet"
    rows = answers.write(judge(store, protocol, FactSet.parse(str(result.data["spec"])).gold, hashed=False), path)
    roots = _roots(store.folder, result)
    return Submission(
        result=result,
        n=result.n_scored + sum(result.n_unscored.values()),
        answers=Answers(sha256=sha256_of(path), rows=rows),
        origin=OURS,
        unverified=["roots"] if roots else [],
        variant=_variant(result),
        roots=roots,
        note=note,
        **_timing(store.folder),
    ), path


def _json(path: Path) -> Any:
    """A JSON file that may be missing; one that is broken is the user's to look at."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise FactrootsError(f"{path} is not readable JSON: {error}; remove it, or make it anew") from error


def _timing(folder: Path) -> dict[str, Any]:
    """The command, when it was given, how long it took, and the model's number of parameters."""
    held = _json(folder / "timing.json") or {}
    return {name: held[name] for name in ("command", "started", "seconds", "parameters") if held.get(name) is not None}


def _variant(result: Result) -> Variant | None:
    """Of a model with variants applied: its base by name, and their methods while their folders are there."""
    name, spec = part(result.signature, "model") or "", str(result.model["spec"])
    if "+" not in name:
        return None
    methods = [about.method for about in _abouts(spec)]
    return Variant(base=name.partition("+")[0], method=" + ".join(methods) or None)


def _abouts(spec: str) -> list:
    """What the variants of a model say of themselves; none where a folder is gone."""
    from fine_tuning.model_spec import ModelSpec
    from fine_tuning.variants.folder import read_about

    try:
        return [read_about(Path(variant.folder)) for variant in ModelSpec.parse(spec).variants]
    except FactrootsError:
        return []


def _roots(folder: Path, result: Result) -> dict[str, dict[str, float]] | None:
    """The shares of right answers by their root, of the newest tracing in the run's folder that judged them alike."""
    found = sorted(folder.glob("roots*/roots.json"), key=lambda path: (path.stat().st_mtime, path))
    if (folder / "roots.json").exists():
        found.append(folder / "roots.json")
    gold = FactSet.parse(str(result.data["spec"])).gold
    wanted = (result.protocol, gold, result.model["sha256"], result.data["sha256"])
    for path in reversed(found):
        record = _json(path)
        try:
            about, shares = record["made_of"], {}
            run = about["run"]
            if (about["protocol"], about["gold"], run["model"]["sha256"], run["data"]["sha256"]) == wanted:
                for total in record["totals"]:
                    shares.setdefault(total["lang"], {})[total["root"]] = total["share"]["value"]
                return shares
        except (KeyError, TypeError) as error:
            raise FactrootsError(f"{path} is no record of roots ({error} is missing); trace them anew") from error
    return None
