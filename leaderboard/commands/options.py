"""Options that several commands of a board share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click


def _board(ctx: click.Context, param: click.Parameter, folder: Path | None):
    """The board that was named, or the one that this folder is in."""
    from leaderboard.board import Board

    return Board.enclosing(Path.cwd()) if folder is None else Board.open(folder)


def board(command: Callable) -> Callable:
    """``--board``, as a :class:`leaderboard.board.Board`."""
    return click.option(
        "--board",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        callback=_board,
        help="The board; by default the one that this folder is in.",
    )(command)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table or lines.")
