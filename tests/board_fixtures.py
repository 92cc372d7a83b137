"""Runs with made scores, submissions of them, and boards, for the board's tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner, Result
from probe_fixtures import rigged, small_world

from leaderboard.board import Board
from leaderboard.entry import text_of
from leaderboard.submission import Submission
from leaderboard.submitting import submission_of
from leaderboard.writing import add
from probe.cli import main
from probe.protocols import Protocol
from probe.scores import score
from probe.store import Store


def likes(relation: str, subject: str, label: str) -> float:
    """Some opinion, the same every time, in which several candidates tie."""
    return -float((len(relation) + sum(map(ord, subject)) * 7 + sum(map(ord, label)) * 3) % 5)


def chooses(relation: str, subject: str, masks: int) -> list[int]:
    return [(sum(map(ord, subject)) + place) % 190 for place in range(masks)]


def a_run(folder: Path, name: str = "tiny/model", score=likes, subjects: int = 12) -> Store:
    """A finished run of two relations in two languages."""
    return rigged(folder / "run", small_world(folder / "facts", subjects), score, chooses, name=name)


class Good(NamedTuple):
    """A submission with nothing wrong, its per-item file, and its record as the JSON that it is."""

    submission: Submission
    answers: Path

    @property
    def record(self) -> dict:
        return json.loads(text_of(self.submission))


def good(store: Store, protocol: str, folder: Path, gold: str | None = None) -> Good:
    folder.mkdir(parents=True, exist_ok=True)
    return Good(*submission_of(store, score(store, Protocol.parse(protocol), gold), folder))


def written(good: Good, folder: Path, change: Callable[[dict], object] = lambda record: None) -> Path:
    """A record with something changed in it, and its per-item file, in `folder`; the record's path."""
    folder.mkdir(parents=True, exist_ok=True)
    record = good.record
    change(record)
    path = folder / "s.json"
    path.write_text(json.dumps(record, ensure_ascii=True), encoding="utf-8")
    path.with_suffix(".parquet").write_bytes(good.answers.read_bytes())
    return path


def resealed(path: Path) -> Path:
    """A record whose per-item file is another by now, with the hash and number of rows that this one has."""
    import pyarrow.parquet as pq

    record, answers = json.loads(path.read_text()), path.with_suffix(".parquet")
    record["answers"] = {
        "sha256": hashlib.sha256(answers.read_bytes()).hexdigest(),
        "rows": pq.read_metadata(answers).num_rows,
    }
    path.write_text(json.dumps(record))
    return path


def a_board(folder: Path, *goods: Good) -> Board:
    board = Board.create(folder, "a board")
    for one in goods:
        assert add(board, one.submission, one.answers).how == "new"
    return board


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder, but the index and who was there last."""
    skipped = (".lock", ".index.parquet")
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in skipped
    }


def call(*words: object) -> Result:
    """``probe leaderboard``; a mistake is one message and no traceback."""
    done = CliRunner().invoke(main, ["leaderboard", *map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done
