"""A board checked whole: every submission as a stranger's, and every file for what it does there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError
from leaderboard import withdrawn
from leaderboard.batch import find
from leaderboard.board import Board
from leaderboard.entry import answers_name
from leaderboard.files import ANSWERS, RECORD, open_plain, read_bytes
from leaderboard.text import shown
from leaderboard.validation import check
from leaderboard.writing import tidy


class Fault(NamedTuple):
    """What is wrong, and with what."""

    name: str
    what: str


def audited(folder: Path | None = None) -> tuple[int, list[Fault]]:
    """How many submissions a board has (by default the one around this folder), and all that is wrong with it."""
    board = Board.enclosing(Path.cwd()) if folder is None else Board.open(folder)
    with suppress(OSError):  # a board that cannot be written is checked as it is
        tidy(board)
    withdrawn.events(board.root)
    records = board.records()
    faults = [fault for path in records for fault in _record(board, path)]
    return len(records), faults + list(_strangers(board))


def audit(paths: Sequence[Path]) -> tuple[int, list[Fault]]:
    """The same of what lies at `paths`: on a board as its own, elsewhere as what might be submitted."""
    count, faults = 0, []
    for path in paths:
        board = _around(path)
        if board is not None:
            records = [p for p in board.records() if path.absolute() in (p, *p.parents, *_answers(p))]
            count += len(records)
            if not records:
                what = "belongs to no submission" if path.exists() or path.is_symlink() else "is not there"
                faults.append(Fault(shown(path, 200), what))
            faults += [fault for record in records for fault in _record(board, record)]
            continue
        with tempfile.TemporaryDirectory(prefix="factroots-") as into:
            try:
                found = find(path, Path(into))
            except FactrootsError as error:
                faults += [Fault(shown(path, 200), line) for line in str(error).splitlines()]
                continue
            count += len(found)
            faults += [Fault(f"{shown(path, 200)}: {one.name}", what) for one in found for what in one.faults]
    return count, faults


def _around(path: Path) -> Board | None:
    """The board among whose submissions a path lies."""
    with suppress(FactrootsError):
        board = Board.enclosing(path.absolute().parent if not path.is_dir() else path)
        if path.absolute() == board.root or board.submissions in (path.absolute(), *path.absolute().parents):
            return board
    return None


def _answers(record: Path) -> list[Path]:
    return list(record.parent.glob(f"{record.stem}.*.parquet"))


def _record(board: Board, path: Path) -> Iterator[Fault]:
    """What is wrong with a record of a board: all that would be with a stranger's, and where it lies."""
    name = shown(board.name_of(path), 300)
    try:
        text = read_bytes(path, RECORD)
    except FactrootsError as error:
        yield Fault(name, str(error))
        return
    answers = None
    with suppress(FactrootsError):
        answers = board.read(path).answers_path
    if answers is not None:
        try:
            open_plain(answers, ANSWERS).close()
        except FactrootsError as error:
            yield Fault(name, f"answers: {error}")
            answers = None
    submission, faults = check(text, answers)
    for what in faults:
        yield Fault(name, what)
    if submission is not None and not faults and (wanted := board.at(submission)) != path:
        yield Fault(name, f"lies where another belongs; its place is {board.name_of(wanted)}")


def _strangers(board: Board) -> Iterator[Fault]:
    """Files among the submissions that belong to none."""
    known = set()
    for path in board.records():
        known.add(path)
        with suppress(FactrootsError):
            if (held := board.read(path).submission.answers) is not None:
                known.add(path.with_name(answers_name(path, held.sha256)))
    for path in board.files():
        if path not in known:
            name = path.relative_to(board.root).as_posix()
            yield Fault(shown(name, 300), "is a symbolic link" if path.is_symlink() else "belongs to no submission")
