"""``probe geometry ratio``."""

from __future__ import annotations

import click

from probe.commands.geometry.options import fits, layers
from probe.commands.options import Names, as_json


@click.command()
@fits
@click.option("--model", help="As in `probe run`; that of the fits, if not given.")
@click.option("--langs", type=Names(), help="Whose text is read; all of the fits, if not given.")
@click.option("--others", type=Names(), help="Into whose subspaces, to whose means; all of the fits, if not given.")
@layers
@click.option("--conditions", type=Names(), help="Of own, other, other-own-mean, shift, shift-project, shared, centre, "
              "centre(test), erase, full, random, pooled, again, shift-again, or as 'shift(it)'; by default the "
              "published ones but shift-project, and their controls.")  # fmt: skip
@click.option("--variance", default=0.9, show_default=True, help="The share of it that subspaces hold.")
@click.option("--measure", help="mlm (15 % masked at once), pseudo (one mask at a time) or causal, as "
              "'pseudo(share=0.05)'; mlm for masked LMs, if not given.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of masks and of random axes.")
@click.option("--specials/--no-specials", default=None, help="Move the states of special tokens too, or leave them as "
              "they are; as the fits count them, if not given.")  # fmt: skip
@click.option("--facts", help="A fact set, as atlas or mlama:DIR, that is put to the model too: under own, other, "
              "shift and random at ¼, ½ and ¾ of its layers, or as --conditions and --layers say.")  # fmt: skip
@click.option("--sample", type=float, default=20, show_default=True, help="Of its facts, as in `probe run`.")
@click.option("--candidates", type=int, help="Of its facts, as in `probe run`.")
@click.option("--output", type=click.Path(file_okay=False), help="Where to keep it; by default below the fits.")
@click.option("--device", default="cpu", show_default=True, help="Where the model runs, as cpu or cuda:0.")
@as_json
@click.option("--quiet", is_flag=True, help="No progress.")
def ratio(folder, model, langs, others, layers, conditions, variance, measure, seed, specials, facts, sample,
          candidates, output, device, as_json, quiet):  # fmt: skip
    """Say what projections into languages' subspaces and shifts of their means do to perplexity, and to facts.

    On the text that the fits kept apart. Masks are the same under every condition; controls stand beside the numbers.
    An interrupted command goes on where it stopped when it is given again.
    """
    from dataclasses import replace

    from fine_tuning.models import load, quiet_libraries
    from probe.commands.geometry.options import chosen
    from probe.commands.geometry.telling import tell
    from probe.geometry import facts as under
    from probe.geometry.conditions import DEFAULT, expanded
    from probe.geometry.fits import Fits
    from probe.geometry.measures import Measure
    from probe.geometry.plan import Plan
    from probe.geometry.ratio_report import show
    from probe.geometry.ratio_results import results
    from probe.geometry.subspace import check_variance

    check_variance(variance)
    opened = Fits.open(folder)
    langs, others = chosen(langs, opened.langs, "--langs"), chosen(others, opened.langs, "--others")
    at, names = chosen(layers, opened.layers, "--layers"), conditions or DEFAULT
    for lang in langs:
        expanded(names, lang, others, opened)  # before the model is loaded: what is wrong is found at once
    named = opened.about.model
    sets = _facts(model or named.spec, facts, langs, sample, candidates) if facts else []
    quiet_libraries()
    loaded = load(model or named.spec, named.dtype, device)
    opened.need(loaded)
    kind = Measure.of(loaded, measure)
    moved = opened.about.specials if specials is None else specials
    plan = Plan(tuple(langs), tuple(others), tuple(at), tuple(names), kind, variance, seed, moved)
    few = replace(
        plan,
        conditions=tuple(conditions or under.CONDITIONS),
        layers=tuple(layers or under.quarters(opened.layers)),
    )
    kept, record = results(plan, opened, loaded, output, quiet, under.Asking(few, sets) if facts else None)
    return tell(record, show, as_json, kept, "ratio.json, ratio.parquet, and the rows of each language", 110)


def _facts(model: str, facts: str, langs: list[str], sample: float, candidates: int | None) -> list:
    """Every language's facts, opened. Raises FactrootsError where there are none."""
    from dataclasses import replace

    from fine_tuning.model_spec import ModelSpec
    from probe.commands.factsets import at_hand, chosen_facts

    base = ModelSpec.parse(model).name
    spec = at_hand(base, chosen_facts(base, facts, tuple(langs), {"sample": sample, "candidates": candidates}))
    sets = [replace(spec, langs=(lang,)).open() for lang in langs]
    for data in sets:
        data.need_questions()
    return sets
