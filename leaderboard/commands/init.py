"""``probe leaderboard init``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--title", default="", help="What the board is of, in a line.")
def init(folder, title):
    """Make a board of DIR, a new or empty folder. Put it under git, and everybody's submissions merge."""
    from data_builders.errors import FactrootsError
    from leaderboard.board import Board
    from leaderboard.text import fault_of

    if fault := fault_of(title, 200):
        raise FactrootsError(f"--title {fault}")
    Board.create(folder, title)
    click.echo(f"{folder} is a board now; `probe leaderboard submit RUN --board {folder}` puts a run on it")
