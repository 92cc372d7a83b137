"""``probe leaderboard serve``."""

from __future__ import annotations

import click

from leaderboard.commands.options import board
from leaderboard.site.options import site


@click.command()
@board
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one."
)
@site
def serve(board, port, factsets, traced, corpus, quiet):
    """Build the site in the board's folder, and serve it to this machine until Ctrl-C."""
    from leaderboard.site.build import Beside, of_board
    from leaderboard.site.serving import address, server

    made = of_board(board, None, Beside(factsets, traced, corpus), quiet)
    with server(made.folder, port) as running:
        click.echo(f"{address(running)} (Ctrl-C ends it)")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended", err=True)
