"""How a board changes: a submission is put on it or taken off, whole or not at all, whoever else is at work."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from data_builders.errors import FactrootsError
from leaderboard import withdrawn
from leaderboard.board import Board
from leaderboard.entry import Entry, same, text_of
from leaderboard.files import sha256_of
from leaderboard.staging import alone, settle, staged, sweep
from leaderboard.submission import Submission
from leaderboard.text import shown


class Added(NamedTuple):
    """An entry, and whether it is ``new``, took an older one's place (``replaced``), or was ``there`` already."""

    entry: Entry
    how: Literal["new", "replaced", "there"]


def add(board: Board, submission: Submission, answers: Path | None, replace: bool = False) -> Added:
    """Put a submission that has been found good on the board, whole or not at all; `answers` is copied.

    Raises FactrootsError where another stands in its place, or it was withdrawn, unless `replace`.
    """
    made, text = _made(board, submission)
    if found := _there(board, made, replace):
        return found
    with staged(board.root) as part:
        (part / "record").write_bytes(text)
        if answers is not None:
            shutil.copyfile(answers, part / "answers")
            _same(part / "answers", submission)
        with alone(board.root):
            if found := _there(board, made, replace):  # somebody else was faster
                return found
            return _move(board, made, part)


def refuse(board: Board, submission: Submission, replace: bool = False) -> None:
    """Raises FactrootsError where :func:`add` would, as things stand."""
    _there(board, _made(board, submission)[0], replace)


def _made(board: Board, submission: Submission) -> tuple[Entry, bytes]:
    """The entry that a submission would be, and its record's bytes."""
    path, text = board.at(submission), text_of(submission)
    return Entry(board.name_of(path), path, hashlib.sha256(text).hexdigest(), submission), text


def _there(board: Board, made: Entry, replace: bool) -> Added | None:
    """What `made` comes to where nothing has to be done; raises FactrootsError where nothing may be."""
    gone = withdrawn.gone(board.root)
    held = board.read(made.path) if made.path.exists() else None
    if held and (held.name, held.sha256) not in gone:
        if same(held.submission, made.submission):
            whole = held.answers_path is None or held.answers_path.exists()
            return Added(held, "there") if whole and (not replace or held.sha256 == made.sha256) else None
        if not replace:
            raise FactrootsError(
                f"{made.name} is there with another score ({_points(held)}, this is {_points(made)}); "
                "pass --replace to put this one in its place"
            )
        return None
    value = made.submission.result.value
    back = [event for event in gone.values() if (event.entry, event.value) == (made.name, value)]
    if back and not replace:
        raise FactrootsError(
            f"{made.name} was withdrawn ({shown(back[-1].why, 500)}); pass --replace to submit it again"
        )
    return None


def _move(board: Board, made: Entry, part: Path) -> Added:
    """Alone in the board: the answers first, the record last."""
    held = board.read(made.path) if made.path.exists() else None
    made.path.parent.mkdir(parents=True, exist_ok=True)
    if made.answers_path is not None:
        settle(part / "answers", made.answers_path)
    settle(part / "record", made.path)
    if (made.name, made.sha256) in withdrawn.gone(board.root):
        _tell(board, made, "submitted again", "")
    if held and held.answers_path not in (None, made.answers_path):
        held.answers_path.unlink(missing_ok=True)
    return Added(made, "replaced" if held else "new")


def withdraw(board: Board, entry: Entry, why: str) -> None:
    """Take an entry off the board; the reason stays, and is the one step that does it."""
    with alone(board.root):
        if not entry.path.exists() or board.read(entry.path).sha256 != entry.sha256:
            raise FactrootsError(f"{entry.name} has changed meanwhile; look at it again")
        _tell(board, entry, "withdrawn", why)
        _remove(board, entry.path)
        if entry.answers_path is not None:
            _remove(board, entry.answers_path)


def tidy(board: Board) -> list[Path]:
    """Remove what a writer that died has left: folders of its own, per-item files without a record, records that
    are withdrawn. Returns what was removed."""
    with alone(board.root):
        sweep(board.root)
        gone, kept, swept = withdrawn.gone(board.root), set(), []
        for path in board.records():
            try:
                entry = board.read(path)
            except FactrootsError:  # it stays until somebody has looked at it, and its answers too
                kept |= set(path.parent.glob(f"{path.stem}.*"))
                continue
            if (entry.name, entry.sha256) in gone:
                swept.append(path)
            elif entry.answers_path is not None:
                kept.add(entry.answers_path)
        swept += [path for path in board.files() if path.suffix == ".parquet" and path not in kept]
        for path in swept:
            _remove(board, path)
        return swept


def _remove(board: Board, path: Path) -> None:
    """Remove a file, and the folders that are empty then."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == board.submissions:
            break
        try:
            folder.rmdir()
        except OSError:
            break


def _tell(board: Board, entry: Entry, what: Literal["withdrawn", "submitted again"], why: str) -> None:
    now, result = datetime.now(UTC).isoformat(timespec="seconds"), entry.submission.result
    held = {"value": result.value, "signature": result.signature}
    withdrawn.add(
        board.root, withdrawn.Event(what=what, entry=entry.name, sha256=entry.sha256, when=now, why=why, **held)
    )


def _points(entry: Entry) -> str:
    return f"{100 * entry.submission.result.value:.2f}"


def _same(answers: Path, submission: Submission) -> None:
    """The copy that goes to the board is the file that was checked."""
    if sha256_of(answers) != submission.answers.sha256:
        raise FactrootsError("the per-item file has changed meanwhile; submit it again")
