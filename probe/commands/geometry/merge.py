"""``probe geometry merge``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="The new folder.")
def merge(folders, output):
    """Add up the fits in FOLDERS, of one model to different text, as if it had read all of it at once."""
    from data_builders.errors import FactrootsError
    from probe.geometry import merging

    if len(folders) < 2:
        raise FactrootsError(f"merging takes two folders of fits or more, got {folders[0]} alone")
    fits = merging.merge(folders, output)
    about = fits.about
    click.echo(f"{output}: {about.number:,} sequences a language, of {', '.join(fits.langs)}; {about.test:,} to test")
