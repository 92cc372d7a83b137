"""Hostile submissions: each is refused with its reason, and the board stays as it was to the byte."""

from __future__ import annotations

import re

import pytest
from board_fixtures import a_board, a_run, call, files, good, written
from hostile_submissions import CASES


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A good submission, and a board with another one of the same run."""
    folder = tmp_path_factory.mktemp("hostile")
    store = a_run(folder)
    board = a_board(folder / "board", good(store, "zhao2024-full", folder / "other"))
    return good(store, "kassner2021", folder / "good"), board


def test_there_are_enough():
    assert len(CASES) >= 60


def test_nothing_is_wrong_with_what_they_are_made_of(made, tmp_path):
    """Each is refused for its own reason, for what all are made of is good."""
    done = call("validate", written(made[0], tmp_path / "s"))
    assert (done.exit_code, done.output) == (0, "1 checked, 0 things are wrong\n")


@pytest.mark.parametrize("name", CASES)
def test_refused(made, tmp_path, name):
    plain, board = made
    case, before = CASES[name], files(board.root)
    path = case.make(plain, tmp_path / "s")
    done = call("submit", path, "--board", board.root)
    assert done.exit_code == 2, done.output
    assert re.search(case.reason, done.stderr), done.stderr
    assert done.stderr.startswith("Error: ") and "Traceback" not in done.output
    assert done.stderr.isprintable() or done.stderr.replace("\n", "").isprintable()
    assert files(board.root) == before
    checked = call("validate", path)
    assert checked.exit_code == 1 and re.search(case.reason, checked.output), checked.output
