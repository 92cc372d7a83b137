"""``probe demo``: write the planted world, and make the demo model anew."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def demo():
    """The planted world, whose facts are known, and the model that has read it."""


@demo.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--seed", type=int, help="Which facts are stated where, and in which words.")
@click.option("--withhold", default=0.0, show_default=True, help="The share of facts that no language states.")
def world(folder, seed, withhold):
    """Write the planted world to DIR: articles, presence matrix, world.json."""
    from data_builders.planted.world import LANGUAGES, SEED, write_world
    from data_builders.sources import open_source

    about = write_world(folder, open_source("atlas", None), SEED if seed is None else seed, LANGUAGES, withhold)
    for lang, count in about["counts"].items():
        click.echo(
            f"{lang}  {count['stated']:,} of {count['facts']:,} facts stated, "
            f"{count['sentences']:,} sentences in {count['articles']:,} articles"
        )


@demo.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--world",
    "text",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A world; without it the default is written.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Of the weights, the masks and the order of texts."
)
@click.option("--steps", type=click.IntRange(min=1), help="Batches to read; the default takes about half an hour.")
@click.option("--siloed", is_flag=True, help="Give each language feed-forward neurons of its own, and a folder.")
def pretrain(folder, text, seed, steps, siloed):
    """Pretrain a model on a planted world and write it, with its card, to DIR."""
    from tempfile import TemporaryDirectory

    from data_builders.planted.world import write_world
    from data_builders.sources import open_source
    from fine_tuning.pretrain import STEPS, pretrain

    source, steps = open_source("atlas", None), steps or STEPS
    with TemporaryDirectory() as scratch:
        if text is None:
            write_world(text := Path(scratch) / "world", source)
        pretrain(text, folder, source, seed, steps, _line(steps), siloed)
    click.echo(f"{folder}: model, tokenizer and card (README.md)")


def _line(steps: int):
    """What to call after every step: keeps one line of the terminal up to date."""
    from time import monotonic

    started, losses = monotonic(), []

    def report(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 50 == 0 or step == steps:
            recent, spent = losses[-50:], monotonic() - started
            left = spent / step * (steps - step) / 60
            mean = sum(recent) / len(recent)
            click.echo(f"\rstep {step:,}/{steps:,}  loss {mean:.3f}  {left:.0f} min left ", nl=step == steps, err=True)

    return report
