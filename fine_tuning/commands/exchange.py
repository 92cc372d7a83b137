"""``probe tune export`` and ``import``: other tools' files."""

from __future__ import annotations

from pathlib import Path

import click

from fine_tuning.commands.said import as_json, check_output, folder, made, output, variant_record

FORMATS = ("adapterhub", "pytorch-diff", "peft")


@click.command()
@click.argument("variant", metavar="V")
@click.argument("directory", metavar="DIR", type=folder)
@click.option("--to", type=click.Choice(["transformers", *FORMATS]), default="transformers", show_default=True)
@click.option("--model", help="The base, where it does not lie where the variant says.")
@click.option("--dry-run", is_flag=True, help="Say what would be written: parameters, share, disk.")
@as_json
def export(variant, directory, to, model, dry_run, as_json):
    """Write a variant to DIR for another tool.

    transformers: base and variant together, with the tokenizer, as AutoModel and --model read them; V may have a scale
    there, as runs/it*0.5. peft, adapterhub: an adapter that these load. pytorch-diff: composable-sft's file.
    """
    from data_builders.errors import FactrootsError
    from fine_tuning.arithmetic.exporting import export_transformers
    from fine_tuning.model_spec import Scaled
    from fine_tuning.models import quiet_libraries
    from fine_tuning.variants.folder import read_variant, refuse_existing

    quiet_libraries()
    name, scale = Scaled.parse(variant)
    if to != "transformers" and scale != 1:
        raise FactrootsError(f"--to {to} writes a variant as it is; leave the scale of {variant} out")
    found = read_variant(Path(name))
    refuse_existing(directory)
    if to == "transformers":
        count = found.about.base.parameters
        if not dry_run:
            export_transformers(found, directory, scale, model)
    else:
        count = found.about.stored
        _tried(dry_run, directory, lambda place: _function("export", to)(found, place))
    weights = [p.stat().st_size for p in directory.rglob("*") if p.is_file()] if not dry_run else [4 * count]
    record = {
        "output": None if dry_run else str(directory),
        "method": f"{found.about.method} for {to}",
        "stored": count,
    }
    made(record | {"parameters": found.about.base.parameters, "bytes": sum(weights)}, as_json)


@click.command("import")
@click.argument("kind", metavar="|".join(FORMATS), type=click.Choice(FORMATS))
@click.argument("directory", metavar="DIR", type=folder)
@click.option("--model", required=True, help="The model that the adapter was made for.")
@click.option("--no-head", is_flag=True, help="pytorch-diff: leave out the retrained head; two heads do not add up.")
@output
def import_(kind, directory, model, no_head, output, dry_run, as_json):
    """Make a variant of what another tool has written to DIR."""
    from fine_tuning.models import quiet_libraries

    if no_head and kind != "pytorch-diff":
        raise click.UsageError(f"--no-head is for pytorch-diff; a file of {kind} has no head")
    quiet_libraries()
    more = {"head": False} if no_head else {}
    check_output(output, dry_run)
    record = _tried(
        dry_run or not output,
        Path(output or "variant"),
        lambda place: variant_record(
            _function("import", kind)(directory, model, place, **more), None if dry_run or not output else output
        ),
    )
    made(record, as_json)


def _tried(dry_run: bool, place: Path, write):
    """What `write` gives for `place`, or, only tried, for one that is gone afterwards."""
    from tempfile import TemporaryDirectory

    if not dry_run:
        return write(place)
    with TemporaryDirectory() as temporary:
        return write(Path(temporary) / place.name)


def _function(verb: str, kind: str):
    from importlib import import_module

    modules = {
        "adapterhub": "fine_tuning.bottleneck.adapterhub",
        "pytorch-diff": "fine_tuning.sparse.pytorch_diff",
        "peft": f"fine_tuning.arithmetic.{verb}ing",
    }
    return getattr(import_module(modules[kind]), f"{verb}_{kind.replace('-', '_')}")
