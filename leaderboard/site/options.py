"""Options that building and serving share."""

from __future__ import annotations

import click

facts = click.option(
    "--facts",
    "factsets",
    multiple=True,
    metavar="FACTSET",
    help="Take the names of facts from this set, as mlama:DIR; the atlas's are known. May be repeated.",
)
quiet = click.option("--quiet", is_flag=True, help="No progress.")
