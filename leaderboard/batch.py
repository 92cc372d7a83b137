"""What is submitted, from wherever it comes: found, checked whole, and only then put on a board, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from data_builders.errors import FactrootsError
from leaderboard.board import Board
from leaderboard.entry import text_of
from leaderboard.intake import take
from leaderboard.submission import Submission
from leaderboard.text import shown
from leaderboard.validation import check
from leaderboard.writing import Added, add, refuse


class Found(NamedTuple):
    """A submission under the name that it is spoken of by, its per-item file, and its faults."""

    name: str
    submission: Submission | None
    answers: Path | None
    faults: list[str]


def find(
    path: Path, into: Path, protocols: Sequence[str] = (), note: str | None = None, origin: str | None = None
) -> list[Found]:
    """Every submission at `path`, checked: a run or its record, another tool's results, or submissions from elsewhere.

    Copies and per-item files go into the empty folder `into`, which has to stay while they are used. `note`, if it is
    given, takes the place of theirs. Raises FactrootsError where nothing can be read there at all.
    """
    path = Path(path)
    if protocols and (origin is not None or not _is_run(path)):
        raise FactrootsError(f"{path} is no run, and has its protocol already; leave --protocol out")
    if origin is not None:
        made = _converted(path, into, origin)
    elif _is_run(path):
        made = _run(path, into, tuple(protocols))
    else:
        found = [Found(one.name, *_checked(one)) for one in take(path, into)]
        if note is None or any(one.faults for one in found):
            return found
        made = (one[:3] for one in found)
    return [_again(name, submission, answers, note) for name, submission, answers in made]


def _is_run(path: Path) -> bool:
    folder = path if path.is_dir() else path.parent
    return (folder / "run.json").is_file() and (path.is_dir() or path.suffix == ".json")


def _converted(path: Path, into: Path, origin: str) -> Iterator[tuple[str, Submission, Path | None]]:
    from leaderboard.converters.table import converter

    if not path.exists():
        raise FactrootsError(f"{path} is not there")
    try:
        for submission, answers in converter(origin)(path, into):
            yield f"{path.name}: {submission.result.protocol}", submission, answers
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FactrootsError(f"{path}: gives no submission: {shown(where)}: {first['msg']}") from error


def _run(path: Path, into: Path, protocols: tuple[str, ...]) -> Iterator[tuple[str, Submission, Path]]:
    from leaderboard.submitting import results_of, submission_of

    store, results = results_of(path, protocols)
    for number, result in enumerate(results):
        folder = into / str(number)
        folder.mkdir()
        yield f"{path.name}: {result.protocol}", *submission_of(store, result, folder)


def _checked(taken) -> tuple[Submission | None, Path | None, list[str]]:
    submission, faults = check(taken.record, taken.answers)
    return submission, taken.answers, [*taken.faults, *faults]


def _again(name: str, submission: Submission, answers: Path | None, note: str | None) -> Found:
    """A submission in hand, checked as the bytes that it will be."""
    if note is not None:
        submission = submission.model_copy(update={"note": note})
    return Found(name, submission, answers, check(text_of(submission), answers).faults)


def put(board: Board, found: Sequence[Found], replace: bool) -> Iterator[Added]:
    """Put submissions on the board, one after the other. Raises FactrootsError with all that is wrong with any of
    them, and for what the board itself refuses, before the first."""
    wrong = [f"{shown(one.name, 200)}: {fault}" for one in found for fault in one.faults]
    places: dict[Path, str] = {}
    for one in found if not wrong else ():
        try:
            refuse(board, one.submission, replace)
        except FactrootsError as error:
            wrong.append(str(error))
        if (other := places.setdefault(board.at(one.submission), one.name)) != one.name:
            wrong.append(f"{shown(one.name, 200)}: is to stand where {shown(other, 200)} is; submit one of them")
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        things = "one thing is" if len(wrong) == 1 else f"{len(wrong):,} things are"
        raise FactrootsError(f"{things} wrong, and nothing was submitted:\n{lines}")
    for one in found:
        yield add(board, one.submission, one.answers, replace)
