"""``probe leaderboard submit``."""

from __future__ import annotations

from pathlib import Path

import click

from leaderboard.commands.options import board
from leaderboard.converters.table import CONVERTERS

_SAID = {
    "new": "is on the board now",
    "replaced": "is on the board now, in an older one's place",
    "there": "is there already",
}


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--protocol", "protocols", multiple=True, help="Of a run: what the number means. May be repeated; by "
              "default all records in its folder.")  # fmt: skip
@click.option("--note", help="A line of plain text that is shown with it.")
@click.option("--from", "origin", type=click.Choice(list(CONVERTERS)), help="RUN holds results of this tool.")
@click.option("--replace", is_flag=True, help="Take the place of another score, or bring back a withdrawn one.")
@board
def submit(runs, protocols, note, origin, replace, board):
    """Check every RUN whole, and put all on the board or none.

    RUN is a run's folder or a record in one, a submission (a record with its per-item file, a folder or a zip file of
    them), or with --from what another tool wrote. The record's numbers are derived again from its answers.
    """
    import tempfile

    from leaderboard.batch import find, put

    with tempfile.TemporaryDirectory(prefix="factroots-") as folder:
        found = []
        for number, run in enumerate(runs):
            (into := Path(folder) / str(number)).mkdir()
            found += find(run, into, protocols, note, origin)
        for added in put(board, found, replace):
            one = added.entry.submission
            open_ = f"; not verified: {', '.join(one.unverified)}" if one.unverified else ""
            click.echo(f"{added.entry.name} {_SAID[added.how]}: {100 * one.result.value:.1f} %{open_}")
