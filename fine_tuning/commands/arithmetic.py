"""``probe tune arithmetic``, ``compose`` and ``merge``: new variants out of several."""

from __future__ import annotations

from contextlib import contextmanager

import click

from fine_tuning.commands.said import check_output, made, output, show_table, variant_record

MERGES = "sum, mean, 'ties(density=0.2)', 'dare(density=0.1,seed=0)', 'dare-ties' or 'magnitude'"
base_option = click.option("--model", help="The base, where it does not lie where the variants say.")


@click.command()
@click.argument("expression", metavar="EXPR")
@output
@base_option
@click.option("--merge", "how", default="sum", show_default=True, help=f"How the terms become one: {MERGES}.")
@click.option("--search", is_flag=True, help="Scale the result as far as a control allows: 0, 0.05, …, 1.")
@click.option("--target", metavar="FACTSET", help="With --search: facts whose P@1 is shown beside.")
@click.option("--control", metavar="FACTSET", help="With --search: facts whose P@1 has to stay.")
@click.option("--keep", type=click.FloatRange(0, 1), default=0.95, show_default=True, help="This share of it.")
@click.option("--protocol", help="With --search: what P@1 is; kassner2021 for masked LMs and bear for others.")
def arithmetic(expression, output, dry_run, as_json, model, how, search, target, control, keep, protocol):
    """Add, scale, subtract and negate task vectors, as 'demo + 0.8*runs/it - runs/toxic'.

    Names are variants' folders, or models of the base's architecture, as in './tuned - demo'. Analogies have brackets:
    'demo + runs/c + (runs/b - runs/a)'. A minus stands after a space, for names may hold one.
    """
    from fine_tuning.arithmetic.composing import method_text
    from fine_tuning.arithmetic.expression import Expression
    from fine_tuning.arithmetic.merging import Merge

    parsed, merge = Expression.parse(expression), Merge.parse(how)
    if search and not (target and control):
        raise click.UsageError("--search needs --target and --control")
    check_output(output, dry_run)
    text = method_text(str(parsed), merge)
    if search:
        found, terms, delta = _search(parsed, merge, model, target, control, keep, protocol)
        more = {"target": target, "control": control, "keep": keep, "scale": found.scale}
        rows = [{**row._asdict(), "target": _known(row.target), "control": _known(row.control)} for row in found.rows]
        _finish(text, terms, delta, output, as_json, found.scale, {"search": {**more, "rows": rows}})
        if not as_json:
            cells = [
                (f"{r.scale:.2f}", _percent(r.target), _percent(r.control), "yes" if r.holds else "no")
                for r in found.rows
            ]
            show_table(("scale", "target P@1", "control P@1", "holds"), cells, text=0)
    else:
        terms, delta = _combined(parsed, merge, model)
        _finish(text, terms, delta, output, as_json)


@click.command()
@click.argument("variants", metavar="V…", nargs=-1, required=True)
@output
@base_option
@click.option("--stack", is_flag=True, help="Keep them together as they are, of any kinds, applied in this order.")
def compose(variants, output, dry_run, as_json, model, stack):
    """Make one variant of several: their sum, whose order is no matter, or a stack.

    V is a folder, perhaps times a number: runs/it runs/capital*0.8.
    """
    from fine_tuning.arithmetic.composing import method_text
    from fine_tuning.arithmetic.expression import Expression
    from fine_tuning.arithmetic.merging import Merge
    from fine_tuning.model_spec import Scaled

    parts = [tuple(Scaled.parse(text)) for text in variants]
    check_output(output, dry_run)
    if stack:
        return _stack(parts, output, as_json)
    expression = Expression.of(*sorted(parts))
    _finish(method_text(str(expression), Merge()), *_combined(expression, Merge(), model), output, as_json)
    return None


@click.command()
@click.argument("variants", metavar="V…", nargs=-1, required=True)
@output
@base_option
@click.option("--how", default="ties", show_default=True, help=f"{MERGES}; without a density, the published one.")
@click.option("--weights", help="A number for each, as 1,0.5; 1 each, if not given.")
def merge(variants, output, dry_run, as_json, model, how, weights):
    """Merge several variants into one, by TIES, DARE, magnitude pruning, as their mean or their sum.

    The functions are peft's, applied tensor by tensor; densities are of a tensor.
    """
    from data_builders.errors import FactrootsError
    from fine_tuning.arithmetic.composing import method_text
    from fine_tuning.arithmetic.expression import Expression
    from fine_tuning.arithmetic.merging import Merge

    chosen = Merge.parse(how)
    try:
        numbers = [float(part) for part in weights.split(",")] if weights else [1.0] * len(variants)
    except ValueError as error:
        raise FactrootsError(f"--weights {weights}: expected numbers, as 1,0.5") from error
    if len(numbers) != len(variants):
        raise FactrootsError(f"--weights {weights}: {len(numbers)} numbers for {len(variants)} variants")
    check_output(output, dry_run)
    expression = Expression.of(*zip(variants, numbers, strict=True))
    _finish(method_text(str(expression), chosen), *_combined(expression, chosen, model), output, as_json)


def _combined(expression, how, model):
    from fine_tuning.arithmetic.composing import combined
    from fine_tuning.arithmetic.resolving import resolve
    from fine_tuning.models import quiet_libraries

    quiet_libraries()
    terms = resolve(expression, model)
    return terms, combined(terms, how)


def _search(expression, how, model, target, control, keep, protocol):
    """The terms, their sum scaled as far as the control allows, and how that was found, with one model in memory."""
    from fine_tuning.arithmetic.searching import GRID, search
    from fine_tuning.commands.asking import asker
    from fine_tuning.models import load
    from fine_tuning.variants.applying import apply_delta
    from fine_tuning.variants.delta import scaled

    terms, delta = _combined(expression, how, model)
    loaded = load(terms.base.spec)

    @contextmanager
    def applied(scale: float):
        undo = apply_delta(loaded.model, delta, scale, terms.tie)
        try:
            yield
        finally:
            undo()

    found = search(GRID, applied, *(asker(facts, loaded, protocol) for facts in (target, control)), keep=keep)
    return found, terms, scaled(delta, found.scale)


def _finish(method, terms, delta, output, as_json, scale=1.0, data=None) -> None:
    """Write the variant, unless that is only tried, and say what it is."""
    from pathlib import Path

    from fine_tuning.arithmetic.composing import disk, write_combined
    from fine_tuning.variants.delta import count

    parents = [{**parent.model_dump(), "scale": parent.scale * scale} for parent in terms.parents]
    record = {
        "output": output,
        "method": method,
        "kind": "delta",
        "base": terms.base.spec,
        "stored": count(delta),
        "parameters": terms.base.parameters,
        "bytes": disk(delta),
        "parents": parents,
        **(data or {}),
    }
    if output and not click.get_current_context().params["dry_run"]:
        record["bytes"] = write_combined(Path(output), terms, delta, method, scale, data).bytes
    else:
        record["output"] = None
    made(record, as_json)


def _stack(parts, output, as_json) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from fine_tuning.arithmetic.composing import stacked, write_stack

    found = stacked(parts)
    if output and not click.get_current_context().params["dry_run"]:
        made(variant_record(write_stack(Path(output), found), output), as_json)
        return
    with TemporaryDirectory() as folder:
        made(variant_record(write_stack(Path(folder) / "stack", found), None), as_json)


def _known(value: float) -> float | None:
    return value if value == value else None


def _percent(value: float) -> str | None:
    return f"{100 * value:.1f}" if value == value else None
