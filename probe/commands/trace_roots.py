"""``probe trace-roots``."""

from __future__ import annotations

import click

from probe.commands.options import Names, as_json, gold, names, thresholds, unit


@click.command("trace-roots")
@click.option(
    "--run", "run", type=click.Path(file_okay=False), help="A finished run; the newest under runs/, if not given."
)
@click.option("--corpus", help="A folder that `probe corpus build` made, or planted, which is the default for demo.")
@click.option("--langs", type=Names(), help="Languages of the run; all that the corpus has too, if not given.")
@click.option(
    "--protocol", help="What a right answer is; kassner2021 for masked LMs and bear for others, if not given."
)
@gold("one")
@unit()
@names
@thresholds
@click.option("--cues", default="cues(substring,pieces,relation,prior)", show_default=True,
              help="What may give an answer away, in order; zhao2024 as published, none for none.")  # fmt: skip
@click.option("--neurons", default="activation_x_gradient", show_default=True,
              help="How a fact's neurons are found: activation_x_gradient, integrated_gradients or probeless, as in "
              "'probeless(k=50)'; none leaves shared and independent apart from each other undecided.")  # fmt: skip
@click.option("--alpha", default=0.05, show_default=True, help="From which p on neurons are no more shared.")
@click.option("--split", type=click.Choice(["overlap", "causal"]), default="overlap", show_default=True,
              help="What tells shared from independent: whether neurons overlap, or whether the fact needs those of "
              "the other language; of all facts, or of so many a relation as --silence says.")  # fmt: skip
@click.option("--sensitivity", is_flag=True, help="Show how the totals move with each threshold and cue.")
@click.option("--silence", "number", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of so many facts a relation, silence the source's neurons and see if they are needed.")  # fmt: skip
@click.option("--output", type=click.Path(file_okay=False), help="Where to keep it; by default in the run's folder.")
@click.option("--device", default="cpu", show_default=True, help="Where the model runs.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def trace_roots(run, corpus, langs, protocol, gold, unit, matching, min_units, min_lift, cues, neurons, alpha,
                split, seed, sensitivity, number, output, device, as_json, quiet):  # fmt: skip
    """Say where every right answer of a run came from: shared, independent, transferred, or given away by a cue.

    A fact that a language's text never states and that is right there is transferred, unless a cue gives it away; one
    that is stated there and elsewhere is shared if its neurons are, and independent if not. Rows, record, pictures and
    page are kept. The same command goes on where it stopped.
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from data_builders.errors import FactrootsError
    from data_builders.folder import lock
    from data_builders.progress import progress
    from fine_tuning.models import load_tokenizer, quiet_libraries
    from probe.passes import DEFAULT
    from probe.protocols import Protocol
    from probe.store import Store, newest
    from probe.tracing.corpora import open_corpus
    from probe.tracing.matching import Matching
    from probe.tracing.neurons.model import Model
    from probe.tracing.neurons.seeking import Seeking
    from probe.tracing.precision import Threshold
    from probe.tracing.presences import Asking
    from probe.tracing.roots import kept
    from probe.tracing.roots.cues import Cues
    from probe.tracing.roots.page import write_page
    from probe.tracing.roots.plots import draw
    from probe.tracing.roots.record import record
    from probe.tracing.roots.report import show
    from probe.tracing.roots.run import Tracing, describe, open_facts, trace
    from probe.tracing.unit import Unit

    store = Store(run) if run else newest("runs")
    about = store.read()
    model = about["model"]["spec"]
    if corpus is None and model != "demo":
        raise FactrootsError("say with --corpus what text the model may have read: a folder, or planted for demo")
    asking = Asking((Unit.parse(unit),), Matching.parse(matching), seed)
    how = kept.How(Threshold(min_units, min_lift), Cues.parse(cues), alpha, split, number if split == "causal" else 0)
    seeking = None if neurons == "none" else Seeking.parse(neurons)
    if (number or split == "causal") and seeking is None:
        option = "--silence" if number else "--split causal"
        raise FactrootsError(f"{option} silences neurons that were found; leave --neurons none out")
    chosen = Protocol.parse(protocol or DEFAULT[about["model"]["family"]])
    tracing = Tracing(
        store, chosen, chosen.of(gold), open_corpus(corpus or "planted", quiet), asking, how, seeking, number
    )
    whole = None if seeking is None else Model.of_run(about["model"], device)
    quiet_libraries()
    tokenizer = load_tokenizer(model)
    pieces = _pieces(asking.pieces, model, tokenizer)
    data = open_facts(store, tracing.corpus, langs, lambda labels: [len(ids) for ids in _spell(tokenizer, labels)])
    made_of = describe(tracing, data, pieces)
    folder = Path(output) if output else kept.default_folder(store.folder, made_of)
    with progress(quiet, "") as bar:
        traced = trace(tracing, data, whole, tokenizer, pieces, folder, bar)
    found = record(tracing, made_of, traced, sensitivity)
    with lock(folder):
        kept.write(folder, traced.table, found)
        write_page(found, draw(found, folder), folder / "roots.html")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False))
    else:
        show(found, Console())
        click.echo(f"kept in {folder}: roots.parquet, roots.jsonl, roots.json, roots.html and pictures")


def _spell(tokenizer, labels: list[str]) -> list[list[int]]:
    return tokenizer(labels, add_special_tokens=False)["input_ids"]


def _pieces(named: str | None, model: str, tokenizer):
    """The tokenizer of the unit's word-pieces, which may be the run's own."""
    if named in (None, model):
        return tokenizer if named else None
    from fine_tuning.models import load_tokenizer

    return load_tokenizer(named)
