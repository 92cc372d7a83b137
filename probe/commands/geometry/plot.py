"""``probe geometry plot``."""

from __future__ import annotations

import click

from probe.commands.geometry.options import fits


@click.command()
@fits
@click.option("--ratio", type=click.Path(file_okay=False), help="A folder of ratios; the last in the fits' folder, if "
              "not given.")  # fmt: skip
@click.option("--distance", type=click.Path(file_okay=False), help="The same of distances.")
@click.option("--axes", type=click.Path(file_okay=False), help="The same of axes.")
@click.option("--variance", default=0.9, show_default=True, help="The share that the dimensions shown are of.")
@click.option("--output", type=click.Path(file_okay=False), help="Where to draw; in the fits' folder, if not given.")
def plot(folder, ratio, distance, axes, variance, output):
    """Draw what was made of fits: PNG files, and one page that needs nothing else."""
    from pathlib import Path

    from data_builders.folder import lock
    from probe.geometry.fits import Fits
    from probe.geometry.gathered import gather
    from probe.geometry.page import write_page
    from probe.geometry.plots import PICTURES
    from probe.geometry.subspace import check_variance
    from probe.pictures import draw

    check_variance(variance)
    opened, named = Fits.open(folder), {"ratio": ratio, "distance": distance, "axes": axes}
    made = gather(opened, variance, {name: one and Path(one) for name, one in named.items()})
    out = Path(output or folder)
    with lock(out):
        for stale in PICTURES:  # of other records, before
            (out / f"{stale}.png").unlink(missing_ok=True)
        write_page(made, draw(PICTURES, made, out), out / "geometry.html")
    click.echo(f"drawn in {out}: geometry.html and pictures")
    return out
