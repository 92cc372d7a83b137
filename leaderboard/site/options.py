"""Options that building and serving share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

_OPTIONS = (
    click.option(
        "--facts",
        "factsets",
        multiple=True,
        metavar="FACTSET",
        help="Take the names of facts from this set, as mlama:DIR; those of the atlas are known. May be repeated.",
    ),
    click.option(
        "--traced",
        multiple=True,
        metavar="DIR",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Show where answers came from by this folder of `probe trace-roots`. May be repeated.",
    ),
    click.option("--corpus", help="The corpus that was traced in, or planted: passages are shown from it."),
    click.option("--quiet", is_flag=True, help="No progress."),
)


def site(command: Callable) -> Callable:
    """``--facts``, ``--traced``, ``--corpus`` and ``--quiet``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
