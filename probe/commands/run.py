"""``probe run``."""

from __future__ import annotations

from functools import partial

import click

from probe.commands.options import Names, as_json, filters, protocols


@click.command()
@click.option(
    "--model",
    default="demo",
    show_default=True,
    help="An alias (demo, xlmr, xlmr-large, mbert, gemma3-270m, smollm2-135m), a folder, a GGUF file or a hub id.",
)
@click.option("--langs", type=Names(), help="Languages, as it,ja,af; all that have templates, if not given.")
@click.option(
    "--factset",
    help="atlas, mlama:DIR, bmlama:DIR, xfactr:DIR, dlama:DIR, geomlama:DIR or facts:DIR; by default atlas for "
    "models that come in packages, mlama for others.",
)
@filters
@protocols
@click.option("--output", type=click.Path(file_okay=False), help="The run's folder; by default one under runs/.")
@click.option("--dtype", default="float32", show_default=True, help="float32, float16 or bfloat16.")
@click.option("--device", default="cpu", show_default=True, help="Where the model runs, as cpu or cuda:0.")
@click.option("--skip-bad", is_flag=True, help="Go on without bad rows of the fact set; the result counts them.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def run(model, langs, factset, protocols, output, dtype, device, skip_bad, as_json, quiet, **filters):
    """Ask a model every fact of a fact set in every language, and score its answers.

    What is kept of the answers is enough for every protocol that asks the model the same: `probe score` gives the
    others without it.
    An interrupted run goes on where it stopped when the same command is given again.
    """
    from fine_tuning.model_spec import ModelSpec
    from probe.commands.factsets import at_hand, chosen_facts, pieces_of
    from probe.protocols import Protocol

    chosen = [Protocol.parse(text) for text in protocols]
    base = ModelSpec.parse(model).name
    spec = chosen_facts(base, factset, langs, filters)

    from fine_tuning.locating import locate
    from fine_tuning.models import load, quiet_libraries
    from probe.commands.output import finish
    from probe.passes import DEFAULT
    from probe.precision import beside, fewer
    from probe.running import carry_out, default_folder, describe
    from probe.store import Store
    from probe.timing import Timing

    timing = Timing()
    found = locate(model)
    spec = at_hand(base, spec)
    data = None if spec.one_token else spec.open(skip_bad=skip_bad)  # before the model: bad facts are found at once
    quiet_libraries()
    loaded = load(found, dtype, device)
    parameters = loaded.model.num_parameters()
    pieces = partial(pieces_of, loaded.tokenizer)
    data = data or spec.open(skip_bad=skip_bad, pieces=pieces)
    data.need_questions()
    chosen = chosen or [Protocol.parse(DEFAULT[loaded.family])]
    runs = []
    for scoring, views in _by_pass(chosen, loaded, data, output).items():
        record = describe(data, loaded, scoring)
        store = Store(output or default_folder(record))
        runs.append((scoring, views, store))
        carry_out(data, loaded, scoring, store, quiet)
    if dtype != "float32":
        loaded = None  # its memory is needed
        exact, few = load(found, "float32", device), fewer(spec).open(skip_bad=skip_bad, pieces=pieces)
        for scoring, _, store in runs:
            carry_out(few, exact, scoring, beside(store), quiet)
    for _, views, store in runs:
        with store.lock():
            timing.write(store, device, parameters)
            finish(store, views, spec.gold, as_json)


def _by_pass(protocols, loaded, data, output) -> dict[str, list]:
    """Protocols by the pass over the model that they need: those of one pass are views of one run."""
    from data_builders.errors import FactrootsError
    from probe.passes import needed

    passes = {}
    for protocol in protocols:
        passes.setdefault(needed(protocol, loaded.family, data.langs), []).append(protocol)
    if output and len(passes) > 1:
        named = "; ".join(f"{', '.join(map(str, views))}: {scoring}" for scoring, views in passes.items())
        raise FactrootsError(f"these protocols need several passes over the model ({named}); leave --output out")
    return passes
