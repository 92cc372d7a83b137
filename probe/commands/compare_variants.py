"""``probe compare-variants``."""

from __future__ import annotations

import click

from probe.commands.options import Names, as_json, filters


def _read(ctx: click.Context, param: click.Parameter, path: str | None) -> str | None:
    """Lay a YAML file's keys under the command line's options."""
    if path:
        from probe.variants.plan import read_yaml

        ctx.default_map = read_yaml(path, ctx.command.params)
    return path


@click.command("compare-variants")
@click.argument("comparison", required=False, type=click.Path(dir_okay=False), callback=_read, is_eager=True)
@click.option("--base", default="demo", show_default=True, help="The model that the variants were made for.")
@click.option("--variants", type=Names(), help="Their folders, as runs/it,runs/af*0.5,runs/lang+runs/task.")
@click.option("--langs", type=Names(), help="Languages, as it,ja,af; all that have templates, if not given.")
@click.option("--factset", help="As in `probe run`; by default atlas for models that come in packages, else mlama.")
@filters
@click.option("--protocol", help="What a right answer is; kassner2021 for masked LMs and bear for others by default.")
@click.option("--taught", type=click.Path(file_okay=False), help="A variant whose taught and held-out facts are to be "
              "told apart in all; by default each variant's own are.")  # fmt: skip
@click.option("--roots", help="A corpus (a folder, or planted for demo): trace roots before and after.")
@click.option("--neurons", default="activation_x_gradient", show_default=True,
              help="How roots' neurons are found, as in `probe trace-roots`; none leaves them out.")  # fmt: skip
@click.option("--output", type=click.Path(file_okay=False), help="Where to keep it; by default below runs/.")
@click.option("--device", default="cpu", show_default=True, help="Where the models run, as cpu or cuda:0.")
@click.option("--skip-bad", is_flag=True, help="Go on without bad rows of the fact set; the record counts them.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def compare_variants(comparison, base, variants, langs, factset, protocol, taught, roots, neurons, output, device,
                     skip_bad, as_json, quiet, **filters):  # fmt: skip
    """Compare a model with variants of it: what each knows more and less, where from, and what it cost.

    All are asked the same questions. COMPARISON is a YAML file with the same keys, as 'variants: [runs/it, runs/af]';
    what the command line says goes before it. An interrupted comparison goes on when the same command is given again.
    """
    from functools import partial
    from pathlib import Path

    from data_builders.errors import FactrootsError
    from data_builders.folder import lock
    from fine_tuning.model_spec import ModelSpec
    from probe.commands.factsets import at_hand, chosen_facts, pieces_of
    from probe.protocols import Protocol
    from probe.variants.plan import models

    if not variants:
        raise FactrootsError("say which variants to compare, as --variants runs/it,runs/af")
    named = models(base, variants)
    name = ModelSpec.parse(base).name
    spec = chosen_facts(name, factset, langs, filters)
    wanted = protocol and Protocol.parse(protocol)

    from fine_tuning.models import load_tokenizer, quiet_libraries
    from probe.passes import DEFAULT
    from probe.pictures import draw
    from probe.variants.page import write_page
    from probe.variants.plots import PICTURES
    from probe.variants.results import results, write
    from probe.variants.running import claim, folder_of, found, run_all
    from probe.variants.split import splits

    quiet_libraries()
    tokenizer = load_tokenizer(base)
    places = found(named, tokenizer)
    pieces = partial(pieces_of, tokenizer)
    data = at_hand(name, spec).open(skip_bad=skip_bad, pieces=pieces)
    data.need_questions()
    chosen = wanted or Protocol.parse(DEFAULT[places[1].variants[0][0].about.base.family])
    gold = chosen.of(spec.gold)
    known = splits(places, taught, data, gold)
    tracer = _tracer(roots, neurons, pieces, quiet)
    asked = {
        "facts": str(data.spec),
        "data": data.sha256,
        "base": base,
        "variants": [str(one.spec) for one in named[1:]],
        "protocol": str(chosen),
        "gold": gold,
    }
    folder = Path(output) if output else folder_of(asked)
    with lock(folder):
        claim(folder, asked)
        ran = run_all(named, places, data, chosen, gold, folder, device, quiet, tracer)
        made = results(ran, known, data, chosen, gold)
        for stale in (*(f"{picture}.png" for picture in PICTURES), "roots.parquet"):  # of other variants, before
            (folder / stale).unlink(missing_ok=True)
        write(folder, made)
        record = made.record.model_dump(mode="json")
        write_page(record, draw(PICTURES, record, folder), folder / "comparison.html")
    if as_json:
        click.echo(made.record.model_dump_json())
    else:
        from rich.console import Console

        from probe.variants.report import show

        console = Console()
        console.width = console.width if console.is_terminal else 100  # what the tables need
        show(record, console)
        click.echo(f"kept in {folder}: comparison.json, comparison.html, *.parquet, pictures and the runs")


def _tracer(roots: str | None, neurons: str, pieces, quiet: bool):
    """How roots are to be traced, or None. Raises FactrootsError for a corpus or neurons that are none."""
    if roots is None:
        return None
    from probe.tracing.corpora import open_corpus
    from probe.tracing.neurons.seeking import Seeking
    from probe.variants.roots import Tracer

    seeking = None if neurons == "none" else Seeking.parse(neurons)
    return Tracer(open_corpus(roots, quiet), seeking, pieces, quiet)
