"""Many processes on one board, and processes that are killed: nothing is lost, and nothing is half there."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from board_fixtures import Good, a_board, a_run, files, good
from ticking import tick

from leaderboard import staging, withdrawn
from leaderboard.auditing import audited
from leaderboard.board import Board
from leaderboard.entry import text_of
from leaderboard.index import indexed
from leaderboard.staging import FOLDER
from leaderboard.writing import add, tidy, withdraw


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Good:
    folder = tmp_path_factory.mktemp("crowded")
    return good(a_run(folder, subjects=3), "kassner2021", folder / "good")


def of_model(plain: Good, number: int) -> Good:
    """The same submission of another model."""
    result, name = plain.submission.result, f"tiny/model{number}"
    model = result.model | {"spec": name, "id": name}
    signature = result.signature.replace("model:tiny/model|", f"model:{name}|")
    changed = result.model_copy(update={"model": model, "signature": signature})
    return Good(plain.submission.model_copy(update={"result": changed}), plain.answers)


def forked(work: Callable[[], object]) -> int:
    """A child that does some work and ends: 0 if it went well."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(70)


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_32_processes_at_once(plain, tmp_path):
    """Each puts its own on the board; all are there, whole, and nothing else is."""
    board = Board.create(tmp_path / "b")
    start = time.monotonic() + 1.0

    def work(number: int) -> None:
        time.sleep(max(0.0, start - time.monotonic()))
        added = add(board, *of_model(plain, number))
        assert added.how == "new"
        indexed(board)

    assert [ended(pid) for pid in [forked(lambda n=n: work(n)) for n in range(32)]] == [0] * 32
    assert {entry.submission.model for entry in board.entries()} == {f"tiny/model{n}" for n in range(32)}
    assert all(
        entry.submission == of_model(plain, int(entry.submission.model[10:])).submission for entry in board.entries()
    )
    assert len(board.files()) == 64 and not list((board.root / FOLDER).iterdir())
    assert audited(board.root) == (32, [])
    assert len(indexed(board)) == 32 * 3


def test_32_processes_with_one_submission(plain, tmp_path):
    """One of them puts it there, and the others find it."""
    board, told = Board.create(tmp_path / "b"), tmp_path / "told"

    def work() -> None:
        how = add(board, *plain).how
        with open(told, "a") as file:
            file.write(f"{how}\n")

    assert [ended(pid) for pid in [forked(work) for _ in range(32)]] == [0] * 32
    assert sorted(told.read_text().split()) == ["new"] + ["there"] * 31
    assert len(board.files()) == 2


def test_writers_of_everything_at_once(plain, tmp_path):
    """Submitting, replacing, withdrawing and sweeping side by side: every step leaves a whole board."""
    board = a_board(tmp_path / "b", *(of_model(plain, n) for n in range(8)))

    def replaces(number: int) -> None:
        for note in "abcd":
            one = of_model(plain, number)
            add(board, one.submission.model_copy(update={"note": note}), one.answers, replace=True)

    def withdraws(number: int) -> None:
        withdraw(board, board.entry(f"tiny-model{number}-"), "no more")

    def sweeps() -> None:
        for _ in range(6):
            tidy(board)
            board.entries()

    work = [lambda n=n: replaces(n) for n in range(4)] + [lambda n=n: withdraws(n) for n in range(4, 8)]
    work += [lambda n=n: add(board, *of_model(plain, n)) for n in range(8, 16)] + [sweeps] * 4
    assert [ended(pid) for pid in map(forked, work)] == [0] * 20
    left = {entry.submission.model: entry.submission.note for entry in board.entries()}
    assert left == {f"tiny/model{n}": "d" if n < 4 else "" for n in (*range(4), *range(8, 16))}
    assert len(withdrawn.events(board.root)) == 4 and audited(board.root) == (12, [])


def ticking(act: Callable[[int], None]) -> None:
    """Have `act` called, with how often it was, before and after everything that a writer does to the disk."""
    of_paths = ["replace", "write_bytes", "write_text", "unlink", "mkdir", "rmdir"]
    tick(act, [(Path, of_paths), (shutil, ["copyfile", "rmtree"]), (os, ["fsync"])])


def ticks(work: Callable[[], object], path: Path) -> int:
    """How many moments there are to be killed at."""

    def act(count: int) -> None:
        os.write(number, b".")

    number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def counted() -> None:
        ticking(act)
        work()

    assert ended(forked(counted)) == 0
    os.close(number)
    return path.stat().st_size


def changes(plain: Good) -> dict[str, Callable[[Board], object]]:
    """What may be under way when a process dies, on a board that has model 0."""
    held, noted = of_model(plain, 0), of_model(plain, 0).submission.model_copy(update={"note": "another"})
    return {
        "submit": lambda board: add(board, *of_model(plain, 1)),
        "replace": lambda board: add(board, noted, held.answers, replace=True),
        "withdraw": lambda board: withdraw(board, board.entry("tiny-model0-"), "no more"),
        "sweep": tidy,
    }


def stands(board: Board) -> dict[str, bytes]:
    """What is on the board for whoever looks at it: records and answers."""
    return {entry.name: text_of(entry.submission) + entry.answers_path.read_bytes() for entry in board.entries()}


@pytest.mark.parametrize("what", ["submit", "replace", "withdraw", "sweep"])
def test_killed_anywhere(plain, tmp_path, what):
    """SIGKILL at every moment of a change: the board is as it was, or changed whole; the change can be made again."""
    change = changes(plain)[what]

    def fresh(name: str) -> Board:
        board = a_board(tmp_path / name, of_model(plain, 0))
        if what == "sweep":  # something to sweep: a dead writer's folder, and answers without a record
            (board.root / FOLDER / "dead").mkdir(parents=True)
            entry = board.entries()[0]
            shutil.copyfile(entry.answers_path, entry.path.with_name("gone.0123456789ab.parquet"))
        return board

    board = fresh("whole")
    before = stands(board)
    moments = ticks(lambda: change(board), tmp_path / "count")
    after = stands(board)
    assert (before == after) == (what == "sweep") and moments >= 8
    seen = set()
    for moment in range(moments):
        board = fresh(f"{moment}")

        def killed(board=board, moment=moment) -> None:
            ticking(lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == moment else None)
            change(board)

        assert ended(forked(killed)) == -signal.SIGKILL
        now = stands(board)
        assert now in (before, after), moment
        seen.add(now == after)
        if now == before or what == "sweep":
            change(board)
        assert stands(board) == after
        tidy(board)
        assert stands(board) == after
        assert not list((board.root / FOLDER).iterdir())
        assert files(board.root).keys() - {"withdrawn.jsonl"} == files(tmp_path / "whole").keys() - {"withdrawn.jsonl"}
    assert audited(board.root)[1] == []
    assert what == "sweep" or seen == {True, False}


def test_killed_at_random_in_a_crowd(plain, tmp_path):
    """Twelve processes at work, most of them killed at some moment: what is there is whole, and the rest can follow."""
    board, draw = Board.create(tmp_path / "b"), random.Random(0)

    def work(number: int) -> None:
        for step in range(3):
            one = of_model(plain, number)
            add(board, one.submission.model_copy(update={"note": f"{step}"}), one.answers, replace=True)

    pids = [forked(lambda n=n: work(n)) for n in range(12)]
    for pid in pids[:9]:
        time.sleep(draw.random() * 0.05)
        os.kill(pid, signal.SIGKILL)
    codes = [ended(pid) for pid in pids]
    assert codes[9:] == [0, 0, 0] and set(codes[:9]) <= {0, -signal.SIGKILL}
    for entry in board.entries():
        assert len(entry.answers()) == 12
    assert audited(board.root)[1] == [] and not list((board.root / FOLDER).iterdir())
    for number in range(12):
        work(number)
    assert len(board.entries()) == 12 and audited(board.root) == (12, [])


def test_a_board_that_stays_busy(plain, tmp_path, monkeypatch):
    """Who waits too long is told by whom."""
    from data_builders.errors import FactrootsError
    from data_builders.folder import lock

    board = Board.create(tmp_path / "b")
    monkeypatch.setattr(staging, "_PATIENCE", 0.1)
    with lock(board.root), pytest.raises(FactrootsError, match=f"process {os.getpid()} is writing .*; wait for it"):
        add(board, *plain)
    assert add(board, *plain).how == "new"


def test_no_lock_is_held_while_others_copy(plain, tmp_path, monkeypatch):
    """A writer that is slow to copy its answers keeps nobody waiting."""
    board = Board.create(tmp_path / "b")
    slow = shutil.copyfile

    def copyfile(*args):
        monkeypatch.setattr(shutil, "copyfile", slow)
        assert add(board, *of_model(plain, 1)).how == "new"  # while the first is in the midst of it
        return slow(*args)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    assert add(board, *of_model(plain, 0)).how == "new" and len(board.entries()) == 2


@pytest.mark.parametrize("size", [1, 3, 6])
def test_a_full_disk(plain, tmp_path, size):
    """A disk without room for a submission takes none of it."""
    import resource

    board = a_board(tmp_path / "b", of_model(plain, 0))
    before = stands(board)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size * 1000, size * 1000))
        try:
            add(board, *of_model(plain, 1))
        except OSError:
            return
        raise AssertionError("there was room")

    assert ended(forked(work)) == 0
    assert stands(board) == before and audited(board.root) == (1, [])
