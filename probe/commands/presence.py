"""``probe presence``."""

from __future__ import annotations

import click

from probe.commands.options import Names, as_json, filters, names, thresholds, unit


@click.command()
@click.option("--factset", default="atlas", show_default=True, help="A fact set, as for `probe run`.")
@click.option("--langs", type=Names(), help="Languages, as it,ja,af; all that fact set and corpus share, if not given.")
@filters
@click.option("--corpus", required=True, help="A folder that `probe corpus build` made, or planted.")
@unit(several=True)
@names
@thresholds
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

    asking = Asking(tuple(Unit.parse(u) for u in units), Matching.parse(matching), seed)
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
