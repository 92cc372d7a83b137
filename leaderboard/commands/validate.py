"""``probe leaderboard validate``."""

from __future__ import annotations

from pathlib import Path

import click

from leaderboard.commands.options import as_json


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--board", "folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="The board; by default the one that this folder is in.")  # fmt: skip
@as_json
@click.pass_context
def validate(context, paths, folder, as_json):
    """Check a board whole, or submissions at PATHS; all that is wrong is listed, a line each, and the exit code is 1.

    Of a board, what killed writers have left is removed first. PATHS on a board are checked as its own, others as what
    might be submitted.
    """
    import json

    from leaderboard.auditing import audit, audited

    checked, faults = audit(paths) if paths else audited(folder)
    if as_json:
        click.echo(json.dumps({"checked": checked, "faults": [fault._asdict() for fault in faults]}))
    else:
        for fault in faults:
            click.echo(f"{fault.name}: {fault.what}")
        click.echo(f"{checked:,} checked, {len(faults):,} {'thing is' if len(faults) == 1 else 'things are'} wrong")
    context.exit(1 if faults else 0)
