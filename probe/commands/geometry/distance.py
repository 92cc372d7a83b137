"""``probe geometry distance``."""

from __future__ import annotations

import click

from probe.commands.geometry.options import fits, layers
from probe.commands.options import Names, as_json


@click.command()
@fits
@click.option("--langs", type=Names(), help="Two languages or more; all of the fits, if not given.")
@layers
@click.option("--measure", "measures", type=Names(), help="Of riemann (covariances), angles (principal axes), means "
              "(in standard deviations) and offset (means, of a token's distance); all, if not given.")  # fmt: skip
@click.option("--variance", default=0.9, show_default=True, help="The share of it that principal axes hold.")
@click.option("--seed", default=0, show_default=True, help="Of the samples of independent tokens.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def distance(folder, langs, layers, measures, variance, seed, as_json, quiet):
    """Say how far languages lie apart at every layer, and how far each lies from itself.

    An interrupted command goes on where it stopped when it is given again.
    """
    from data_builders.progress import progress
    from probe.commands.geometry.options import chosen
    from probe.commands.geometry.telling import tell
    from probe.geometry.distance import MEASURES
    from probe.geometry.distance_report import show
    from probe.geometry.distance_results import results
    from probe.geometry.fits import Fits

    opened = Fits.open(folder)
    asked = chosen(langs, opened.langs, "--langs"), chosen(layers, opened.layers, "--layers")
    by = chosen(measures, MEASURES, "--measure")
    with progress(quiet, "pairs") as bar:
        kept, record = results(opened, *asked, by, variance, seed, bar)
    return tell(record, show, as_json, kept, "distance.json, distance.parquet", max(100, 8 * len(asked[0]) + 8))
