"""All that is wrong with a submission, a line each: nothing in it is believed that the rest of it decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ValidationError

from data_builders.errors import FactrootsError
from leaderboard import content, text
from leaderboard.answers import derived, frame_of, table_of
from leaderboard.apart import parquet_faults
from leaderboard.files import sha256_of
from leaderboard.strict_json import parse
from leaderboard.submission import OURS, Submission, Told
from probe.protocols import Protocol


class Checked(NamedTuple):
    """A submission, where its record could be read at all, and its faults; without any it is good."""

    submission: Submission | None
    faults: list[str]


def check(record: bytes, answers: Path | None) -> Checked:
    """Check a record's bytes and its per-item file, which nobody else may change meanwhile."""
    value, faults = parse(record)
    if value is None:
        return Checked(None, faults)
    faults += text.faults(value)
    submission, found = _read(value)
    faults += found
    table = None
    if answers is not None:
        found = parquet_faults(answers)
        faults += [f"answers: {fault}" for fault in found]
        table = None if found else table_of(answers)
    if submission is not None:
        faults += _beside(submission, answers, table)
        faults += content.faults(submission)
        if table is not None and not isinstance(submission.result, Told):
            faults += _numbers(submission, table)
    return Checked(submission, list(dict.fromkeys(faults)))


def _read(value: dict[str, Any]) -> Checked:
    """The submission in a JSON object; what stands beside keys that are unknown is looked at all the same."""
    try:
        return Checked(Submission.model_validate(value), [])
    except ValidationError as error:
        errors = [one | {"loc": _place(one["loc"])} for one in error.errors(include_url=False)]
    strange = [one["loc"] for one in errors if one["type"] == "extra_forbidden"]
    for place in strange:
        _remove(value, place)
    submission = _read(value).submission if strange else None
    return Checked(submission, [_said(one) for one in errors])


def _place(loc: tuple) -> tuple:
    """A place in the record, without the name that the schema gives to a kind of result."""
    return (loc[0], *loc[2:]) if loc[0] == "result" and len(loc) > 1 else loc


def _remove(value: Any, place: tuple) -> None:
    """Take the key at the end of a place out of a JSON value."""
    for part in place[:-1]:
        value = value[part]
    del value[place[-1]]


def _said(error: dict[str, Any]) -> str:
    """What the schema refuses."""
    place = ".".join(map(text.shown, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{place}: is a key that no submission has"
    got = "" if error["type"] == "missing" else f", got {text.shown(error['input'])}"
    return f"{place}: {error['msg']}{got}"


def _beside(submission: Submission, answers: Path | None, table: pa.Table | None) -> Iterator[str]:
    """Whether the per-item file is the one that the record speaks of."""
    said = submission.answers
    if isinstance(submission.result, Told):
        if said is not None or answers is not None:
            yield "answers: a result that is only told has none"
        return
    if said is None or answers is None:
        yield "answers: a result without its per-item file cannot be derived again"
        return
    if (sha256 := sha256_of(answers)) != said.sha256:
        yield f"answers.sha256: says {said.sha256}, and the per-item file has {sha256}"
    if table is not None and len(table) != said.rows:
        yield f"answers.rows: says {said.rows:,}, and the per-item file has {len(table):,}"


def _numbers(submission: Submission, table: pa.Table) -> Iterator[str]:
    """Where the record says another number than its answers give, be it in the last digit."""
    result = submission.result
    said = [language.lang for language in result.languages]
    rows = set(table["lang"].unique().to_pylist())
    if strange := sorted(rows - set(said)):
        yield f"answers: have {', '.join(map(text.shown, strange))}, which the record has not"
    order = [lang for lang in table["lang"].unique().to_pylist() if lang in said]
    if order != [lang for lang in said if lang in rows]:
        yield "answers: have languages in another order than the record"
    if submission.origin == OURS and pc.min(table["pieces"]).as_py() < 1:
        yield "answers: have objects of no token"
    if strange or len(set(said)) < len(said):
        return
    try:
        numbers = derived(frame_of(table), result, Protocol.parse(result.protocol))
    except (FactrootsError, ValueError) as error:
        yield f"answers: {text.shown(error)}"
        return
    for name, value in numbers.items():
        yield from _differences(name, _dumped(getattr(result, name)), _dumped(value))


def _dumped(value: Any) -> Any:
    if isinstance(value, list):
        return [_dumped(one) for one in value]
    return value.model_dump() if isinstance(value, BaseModel) else value


def _differences(where: str, said: Any, found: Any) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*said, *found]):
            yield from _differences(f"{where}.{text.shown(key)}", said.get(key), found.get(key))
    elif isinstance(said, list) and isinstance(found, list) and len(said) == len(found):
        for number, (own, other) in enumerate(zip(said, found, strict=True)):
            name = own.get("lang", number) if isinstance(own, dict) else number
            yield from _differences(f"{where}.{text.shown(name)}", own, other)
    elif said != found or type(said) is not type(found):
        yield f"{where}: says {_brief(said)}, and the answers give {_brief(found)}"


def _brief(value: Any) -> str:
    return "nothing" if value is None else text.shown(repr(value) if isinstance(value, float) else value)
