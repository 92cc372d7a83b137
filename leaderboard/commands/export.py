"""``probe leaderboard export``."""

from __future__ import annotations

from pathlib import Path

import click

from leaderboard.commands.options import board


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--to", "kind", required=True, type=click.Choice(["csv", "parquet", "json"]),
              help="A table of scores by submission and language; with json, the submissions.")  # fmt: skip
@board
def export(output, kind, board):
    """Write the board to OUTPUT, a new file; with --to json a folder, or a zip file if its name ends so.

    What --to json writes can be submitted to another board.
    """
    from leaderboard.exporting import WAYS

    count = WAYS[kind](board, output)
    click.echo(f"{output}: {count:,} {'submission' if count == 1 else 'submissions'}")
