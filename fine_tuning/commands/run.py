"""``probe tune METHOD``: train a variant of a model on text of a language, or on facts."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from fine_tuning.training.schedule import PRECISIONS
from probe.commands.options import Names


def _options(*options):
    def add(command):
        for option in reversed(options):
            command = option(command)
        return command

    return add


COUNT = click.IntRange(min=1)

#: What is learned from.
data = _options(
    click.option("--lang", help="The language of the text; the variant is for it."),
    click.option("--corpus", metavar="DIR", help="A built corpus, or planted: learn from its text in --lang."),
    click.option(
        "--text", type=click.Path(path_type=Path), help="A text file, a document a line: learn from it instead."
    ),
    click.option("--factset", help="A fact set, as atlas or mlama:DIR: learn its facts instead."),
    click.option("--facts-langs", type=Names(), help="Languages to learn facts in; --lang alone, if not given."),
    click.option(
        "--language-variants",
        type=Names(),
        help="Variants that are put on for the batches of their language alone, as en=runs/en,it=runs/it.",
    ),
    click.option("--relations", type=Names(), help="Learn these relations only, as P36,P30."),
    click.option("--sample", type=float, help="Use this share of the facts, or this many of each relation."),
    click.option("--templates", help="first (the default), all, or mpararel:DIR for paraphrases."),
    click.option(
        "--train-share",
        default=0.8,
        show_default=True,
        help="The share of the facts to learn; the others are held out.",
    ),
    click.option("--sentence", is_flag=True, help="Causal LMs: learn the whole sentence, and not the object alone."),
    click.option("--held", default=0.05, show_default=True, help="The share of the documents to hold out."),
    click.option("--length", type=COUNT, help="Tokens of a piece of text; 256, or what the model reads."),
)

#: How long and how fast; the method's own where not given.
schedule = _options(
    click.option("--steps", type=COUNT, help="Steps of a phase."),
    click.option("--batch", type=COUNT, help="Pieces of text, or facts, a step."),
    click.option("--accumulate", type=COUNT, help="Parts in which a batch is run, to save memory."),
    click.option("--rate", type=float, help="The learning rate at its highest."),
    click.option("--warmup", type=float, help="The share of the steps in which the rate rises."),
    click.option("--decay", type=float, help="AdamW's weight decay."),
    click.option("--clip", type=float, help="The greatest norm of the gradient; 0 for none."),
    click.option(
        "--precision", type=click.Choice(PRECISIONS), help="bfloat16: matrix products are rounded, weights are not."
    ),
)


@click.command("METHOD")
@click.argument("method")
@click.option("--model", default="demo", show_default=True, help="A model, as for probe run; its variants stay on.")
@data
@schedule
@click.option("--seed", default=0, show_default=True, help="Of order, masks, dropout, and of what is held out.")
@click.option("--every", type=COUNT, help="Ask the held-out loss and the scores every so many steps; else at the end.")
@click.option("--patience", type=COUNT, help="Stop when the loss has not fallen for so many times; keep the best.")
@click.option(
    "--score-facts", metavar="FACTSET", help="Ask P@1 in its languages too, as 'atlas(langs=it;ja,sample=20)'."
)
@click.option(
    "--tensorboard", type=click.Path(path_type=Path), help="Write the log to this folder for TensorBoard too."
)
@click.option("--output", type=click.Path(path_type=Path), help="The variant's folder.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and what it would take.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--device", default="cpu", show_default=True, help="Where the model is trained, as cpu or cuda:0.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run(
    method, model, seed, every, patience, score_facts, tensorboard, output, dry_run, as_json, device, quiet, **given
):
    """Train a variant of a model with METHOD, as full or 'lt-sft(density=0.01)'.

    It learns the text of --corpus or --text, or the facts of --factset. An interrupted training goes on where it
    stopped when the same command is given again.
    """
    from fine_tuning.commands.learning import examples_of, language_variants
    from fine_tuning.methods.table import parse_method
    from fine_tuning.models import quiet_libraries
    from fine_tuning.training.tune import Tuning, laid_over, plan, tune

    chosen = parse_method(method)
    timetable = laid_over(chosen.schedule, {name: given.get(name) for name in _fields()})
    languages = language_variants(given)
    tuning = Tuning(model, chosen, timetable, given["lang"], seed, every or 0, patience or 0, device, languages)
    quiet_libraries()
    if dry_run:
        found = plan(tuning)
        click.echo(json.dumps(found) if as_json else _said(found))
        return
    if output is None:
        raise click.UsageError("Missing option '--output'.")
    scores = None
    if score_facts:
        from fine_tuning.commands.scoring import scores_of

        scores = scores_of(score_facts)
    examples = examples_of(given, seed, quiet)
    made = tune(tuning, examples, output, scores, shlex.join(["probe", *sys.argv[1:]]), quiet, tensorboard)
    if as_json:
        click.echo(made.about.model_dump_json())
    else:
        click.echo(
            f"{output}: {made.about.method}, {made.about.trained:,} parameters trained, {made.about.stored:,} numbers "
            f"kept ({made.bytes / 1e6:,.1f} MB); probe run --model {tuning.model}+{output}"
        )


def _fields() -> list[str]:
    from dataclasses import fields

    from fine_tuning.training.schedule import Schedule

    return [field.name for field in fields(Schedule)]


def _said(found: dict) -> str:
    phases = ", ".join(f"{name}: {steps:,} steps" for name, steps in found["phases"].items())
    return "\n".join(
        (
            f"{found['method']} on {found['model']}",
            f"  trained     {found['trained']:,} of {found['parameters']:,} parameters ({found['share']:.2%})",
            f"  steps       {phases}; {found['batch']} examples a step",
            f"  memory      {found['memory_mb']:,.0f} MB, and the activations",
            f"  disk        {found['disk_mb']:,.1f} MB; checkpoints up to {2 * found['checkpoint_mb']:,.0f} MB more",
        )
    )
