"""``probe leaderboard build``."""

from __future__ import annotations

from pathlib import Path

import click

from leaderboard.commands.options import board
from leaderboard.site.options import site


@click.command()
@board
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="The site's folder; by default site in the board. An older site is replaced once the new one is whole.",
)
@site
def build(board, output, factsets, traced, corpus, quiet):
    """Write the board as a site that needs no server: open its index.html.

    Tables with rank intervals, charts, a page for each model, and one that compares any two of them fact by fact.
    """
    from leaderboard.site.build import Beside, of_board

    made = of_board(board, output, Beside(factsets, traced, corpus), quiet)
    click.echo(f"{made.submissions:,} submissions of {made.models:,} models: {made.folder / 'index.html'}")
