"""``probe presence``."""

from __future__ import annotations

import click

from probe.commands.options import Names, as_json, filters


def tracing_options(command):
    """What a presence is: the units, what a name's occurrence is, and the seed of the shuffled facts."""
    for option in (
        click.option(
            "--unit",
            "units",
            multiple=True,
            help="Where subject and object must stand together: sentence (the default), paragraph, abstract, article, "
            "'window(512,stride=256)' or zhao2024. May be repeated.",
        ),
        click.option(
            "--names",
            "matching",
            default="names",
            show_default=True,
            help="What a name's occurrence is, as 'names(fold=case,overlap=all,aliases,short)'.",
        ),
        click.option("--seed", default=0, show_default=True, help="Of the shuffled facts."),
    ):
        command = option(command)
    return command


def threshold_options(command):
    """From which count on a fact is present."""
    for option in (
        click.option("--min-units", type=click.IntRange(min=1), default=1, show_default=True, help="So many units."),
        click.option("--min-lift", default=0.0, show_default=True, help="So many times those that chance gives."),
    ):
        command = option(command)
    return command


@click.command()
@click.option("--factset", default="atlas", show_default=True, help="A fact set, as for `probe run`.")
@click.option("--langs", type=Names(), help="Languages, as it,ja,af; all that fact set and corpus share, if not given.")
@filters
@click.option("--corpus", required=True, help="A folder that `probe corpus build` made, or planted.")
@tracing_options
@threshold_options
@click.option("--output", type=click.Path(file_okay=False), help="The presence's folder; by default one under runs/.")
@click.option("--skip-bad", is_flag=True, help="Go on without bad rows of the fact set.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def presence(factset, langs, corpus, units, matching, seed, min_units, min_lift, output, skip_bad, as_json, quiet,
             **filters):  # fmt: skip
    """Say for every fact and language in how many units of a corpus subject and object stand together.

    How often they would by chance is measured on shuffled facts in the same reading. An interrupted reading goes on
    where it stopped when the same command is given again.
    """
    from dataclasses import replace
    from pathlib import Path

    from data_builders.factset import FactSet
    from data_builders.progress import progress
    from data_builders.sources import open_source
    from probe.tracing.corpora import open_corpus
    from probe.tracing.matching import Matching
    from probe.tracing.precision import Threshold
    from probe.tracing.presence_report import report, show
    from probe.tracing.presences import Asking, carry_out, default_folder, describe
    from probe.tracing.unit import Unit

    asking = Asking(tuple(Unit.parse(u) for u in units or ("sentence",)), Matching.parse(matching), seed)
    given = {name: value for name, value in filters.items() if value is not None and value is not False}
    spec = replace(FactSet.parse(factset), **given)
    built = open_corpus(corpus, quiet)
    known = langs or spec.langs or [x for x in open_source(spec.source, spec.path).languages() if x in built.langs]
    data = spec.open(known, skip_bad=skip_bad)
    tokenizer = None
    if asking.pieces:
        from fine_tuning.models import load_tokenizer, quiet_libraries

        quiet_libraries()
        tokenizer = load_tokenizer(asking.pieces)
    folder = Path(output or default_folder(describe(data, built, asking, tokenizer)))
    with progress(quiet, "passages") as bar:
        made = carry_out(data, built, asking, folder, bar, tokenizer)
    found = report(made, Threshold(min_units, min_lift))
    if as_json:
        import json

        click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False))
    else:
        show(found)
        click.echo(f"kept in {folder}")
