"""``probe geometry`` without a part: all of them, one after the other."""

from __future__ import annotations

import click

from probe.commands.geometry.options import Layers
from probe.commands.options import Names

#: What demo's two minutes have room for: languages, and sequences of each to fit and to test.
DEMO_LANGS, DEMO_FIT, DEMO_TEST = ("en", "it", "ja", "af"), 96, 32


@click.command()
@click.option("--model", default="demo", show_default=True, help="As in `probe run`; a masked or a causal LM.")
@click.option("--langs", type=Names(), help="Languages, as it,ja,af; all that the text has, if not given; for demo "
              f"{','.join(DEMO_LANGS)}.")  # fmt: skip
@click.option("--text", help="As in `probe geometry fit`; planted is the default for demo.")
@click.option("--sequences", type=click.IntRange(min=1), help=f"As in fit; 512, or {DEMO_FIT} for demo.")
@click.option("--test", type=click.IntRange(min=1), help=f"As in fit; 512, or {DEMO_TEST} for demo.")
@click.option("--length", type=int, help="As in fit.")
@click.option("--layers", type=Layers(), help="What is measured at; all, if not given.")
@click.option("--conditions", type=Names(), help="As in `probe geometry ratio`.")
@click.option("--variance", default=0.9, show_default=True, help="The share of it that subspaces hold.")
@click.option("--facts", help="A fact set, as in `probe geometry ratio`; atlas for demo, none for others.")
@click.option("--sample", type=float, default=10, show_default=True, help="Of its facts, as in `probe run`.")
@click.option("--layers-at", metavar="PATH", help="As in fit.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--output", type=click.Path(file_okay=False), help="The fits' folder; by default one under runs/.")
@click.option("--device", default="cpu", show_default=True, help="Where the model runs, as cpu or cuda:0.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.pass_context
def whole(ctx, model, langs, text, sequences, test, length, layers, conditions, variance, facts, sample, layers_at,
          seed, output, device, quiet):  # fmt: skip
    """Fit, measure ratios, distances and axes, and draw them all.

    The parts have more options, and --json. An interrupted command goes on where it stopped when it is given again.
    """
    from pathlib import Path

    from probe.commands.geometry.axes import axes
    from probe.commands.geometry.distance import distance
    from probe.commands.geometry.fit import fit
    from probe.commands.geometry.plot import plot
    from probe.commands.geometry.ratio import ratio
    from probe.geometry.fits import Fits
    from probe.geometry.text import NUMBER, TEST

    small = model == "demo" and text is None
    folder = ctx.invoke(
        fit, model=model, text=text, langs=langs or (DEMO_LANGS if small else None), length=length, seed=seed,
        sequences=sequences or (DEMO_FIT if small else NUMBER), test=test or (DEMO_TEST if small else TEST),
        layers_at=layers_at, variance=variance, output=output, device=device, quiet=quiet,
    )  # fmt: skip
    shared = {"folder": str(folder), "layers": layers, "quiet": quiet}
    made = {
        "ratio": ctx.invoke(
            ratio, **shared, conditions=conditions, variance=variance, seed=seed, sample=sample, device=device,
            facts=facts or ("atlas" if small else None),
        )
    }  # fmt: skip
    if len(Fits.open(folder).langs) > 1:
        made["distance"] = ctx.invoke(distance, **shared, variance=variance, seed=seed)
    made["axes"] = ctx.invoke(axes, **shared)
    ctx.invoke(plot, folder=str(folder), variance=variance, **{name: str(Path(one)) for name, one in made.items()})
