"""``probe geometry axes``."""

from __future__ import annotations

import click

from probe.commands.geometry.options import fits, layers
from probe.commands.options import Names, as_json


@click.command()
@fits
@click.option("--langs", type=Names(), help="Languages; all of the fits, if not given.")
@layers
@click.option("--classes", "kinds", type=Names(), help="Of language, position and pos (parts of speech); all that the "
              "fits have, if not given.")  # fmt: skip
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def axes(folder, langs, layers, kinds, as_json, quiet):
    """Find the axes at every layer that tell languages, positions and parts of speech apart, and say what they hold.

    An interrupted command goes on where it stopped when it is given again.
    """
    from data_builders.progress import progress
    from probe.commands.geometry.options import chosen
    from probe.commands.geometry.telling import tell
    from probe.geometry.axes import KINDS
    from probe.geometry.axes_report import show
    from probe.geometry.axes_results import results
    from probe.geometry.fits import Fits

    opened = Fits.open(folder)
    asked = chosen(langs, opened.langs, "--langs"), chosen(layers, opened.layers, "--layers")
    kinds = kinds and chosen(kinds, KINDS, "--classes")
    with progress(quiet, "layers") as bar:
        kept, record = results(opened, *asked, kinds, bar)
    return tell(record, show, as_json, kept, "axes.json, axes.parquet, axes.safetensors")
