"""``probe geometry fit``."""

from __future__ import annotations

import click

from probe.commands.options import Names, as_json


@click.command()
@click.option("--model", default="demo", show_default=True, help="As in `probe run`; a masked or a causal LM.")
@click.option("--langs", type=Names(), help="Languages, as it,ja,af; all that the text has, if not given.")
@click.option("--text", help="A folder of <lang>.txt, a pattern as 'ntrex/ref.{lang}.txt', a built corpus' folder, or "
              "planted, which is the default for demo.")  # fmt: skip
@click.option("--sequences", type=click.IntRange(min=1), default=512, show_default=True,
              help="Fit so many a language, and as many again for the noise.")  # fmt: skip
@click.option("--test", type=click.IntRange(min=1), default=512, show_default=True,
              help="Keep so many more apart, for what is measured later.")  # fmt: skip
@click.option("--length", type=int, help="Tokens of a sequence; 512, or what the model reads, if not given.")
@click.option("--seed", default=0, show_default=True, help="Of the shuffle that deals sequences to the parts.")
@click.option("--no-specials", is_flag=True, help="Do not count the states of special tokens.")
@click.option("--layers-at", metavar="PATH", help="Where the model has its list of blocks, as roberta.encoder.layer.")
@click.option("--variance", default=0.9, show_default=True, help="The share that k is of, in what is printed.")
@click.option("--output", type=click.Path(file_okay=False), help="The fits' folder; by default one under runs/.")
@click.option("--dtype", default="float32", show_default=True, help="float32, float16 or bfloat16.")
@click.option("--device", default="cpu", show_default=True, help="Where the model runs, as cpu or cuda:0.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def fit(model, langs, text, sequences, test, length, seed, no_specials, layers_at, variance, output, dtype, device,
        as_json, quiet):  # fmt: skip
    """Fit an affine subspace to each language's states at every layer, in one pass over its text.

    Everything is kept of which any share of variance can be taken later. An interrupted fit goes on where it stopped
    when the same command is given again.
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from data_builders.errors import FactrootsError
    from data_builders.progress import progress
    from fine_tuning.models import load, quiet_libraries
    from probe.geometry.body import Body
    from probe.geometry.fits_report import record, show
    from probe.geometry.fitting import carry_out, default_folder, describe
    from probe.geometry.sources import open_text
    from probe.geometry.subspace import check_variance
    from probe.geometry.text import read_sequences

    check_variance(variance)
    if text is None and model != "demo":
        raise FactrootsError("say with --text what to fit it to: a folder of <lang>.txt, or a pattern with {lang}")
    source = open_text(text or "planted", quiet)
    quiet_libraries()
    loaded = load(model, dtype, device)
    body = Body.of(loaded, layers_at)
    found = read_sequences(source, loaded, langs, length, sequences, test, seed)
    about = describe(body, source.name, found, seed, not no_specials, layers_at)
    folder = Path(output) if output else default_folder(about)
    with progress(quiet, "sequences") as bar:
        fits = carry_out(body, about, found, folder, bar)
    made = record(fits, variance)
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False, allow_nan=False))
    else:
        show(made, Console(), asked=sequences)
        click.echo(f"kept in {folder}: fits.json, moments and sequences of each language")
    return folder
    return folder
