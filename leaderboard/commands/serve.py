"""``probe leaderboard serve``."""

from __future__ import annotations

import click

from leaderboard.commands.options import board
from leaderboard.site.options import facts, quiet


@click.command()
@board
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one."
)
@facts
@quiet
def serve(board, port, factsets, quiet):
    """Build the site in the board's folder, and serve it to this machine until Ctrl-C."""
    from leaderboard.site.build import of_board
    from leaderboard.site.serving import address, server

    made = of_board(board, None, factsets, quiet)
    with server(made.folder, port) as running:
        click.echo(f"{address(running)} (Ctrl-C ends it)")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended", err=True)
