"""``probe tune list``, ``show`` and ``diff``: what variants there are, and what they are."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fine_tuning.commands.said import as_json, folder, show_table, size


@click.command("list")
@click.argument("directory", metavar="[DIR]", type=folder, default=".")
@as_json
def list_(directory, as_json):
    """List the variants below DIR, here if not given."""
    from data_builders.errors import FactrootsError
    from fine_tuning.variants.folder import read_about

    if not directory.is_dir():
        raise FactrootsError(f"{directory} is no folder")
    rows, broken = [], []
    for path in sorted(_variants(directory)):
        try:
            about = read_about(path)
            rows.append((path, about, sum((path / name).stat().st_size for name in about.files)))
        except (FactrootsError, FileNotFoundError) as error:
            broken.append(str(error))
    if as_json:
        for path, about, count in rows:
            click.echo(
                json.dumps({"folder": str(path), "bytes": count, **about.model_dump(mode="json")}, ensure_ascii=False)
            )
    elif rows:
        show_table(
            ("variant", "method", "base", "lang", "parents", "trained", "density", "disk"),
            (
                (path, a.method, a.base.spec, a.lang, _parents(a), f"{a.trained:,}", f"{a.density:.2%}", size(count))
                for path, a, count in rows
            ),
            text=5,
        )
    if not rows and not as_json:
        click.echo(f"no variant below {directory}; make one with `probe tune`", err=True)
    for error in broken:
        click.echo(error, err=True)


def _variants(directory: Path):
    """Folders with a variant.json, not those inside a variant, and not what is half made."""
    if (directory / "variant.json").is_file():
        yield directory
        return
    for child in sorted(directory.iterdir()):
        if child.is_dir() and not child.name.startswith(".") and not child.is_symlink():
            yield from _variants(child)


def _parents(about) -> str | None:
    from fine_tuning.model_spec import Scaled

    named = ((parent.lang, str(Scaled(Path(parent.name).name, parent.scale))) for parent in about.parents)
    return ", ".join(f"{lang}={name}" if lang else name for lang, name in named) or None


@click.command()
@click.argument("variant", metavar="V", type=folder)
@as_json
def show(variant, as_json):
    """Say what a variant is, how it came about, and how its training went; its files are checked."""
    from data_builders.folder import read_json
    from fine_tuning.arithmetic.comparing import flat
    from fine_tuning.variants.folder import TIMING, read_variant

    found = read_variant(variant)
    about = found.about.model_dump(mode="json")
    about |= {"density": found.about.density, "bytes": found.bytes, "sha256": found.about.sha256}
    if (variant / TIMING).is_file():
        about["training"] = read_json(variant / TIMING)
    if as_json:
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
    else:
        show_table(("", str(variant)), ((key, _cell(value)) for key, value in flat(about).items() if value), text=2)


def _cell(value) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@click.command()
@click.argument("one", metavar="A", type=folder)
@click.argument("other", metavar="B", type=folder)
@click.option("--model", help="The base, where it does not lie where the variants say.")
@as_json
def diff(one, other, model, as_json):
    """Say how two variants of one base differ: norms, direction, overlap, and the settings that are not the same.

    By layer and over all: norms; cosine; the share of the changed entries that both change (overlap), what chance gives
    for as many among the tensors that either changes; and in how many of those the two have one sign.
    """
    from fine_tuning.arithmetic.comparing import compare, settings
    from fine_tuning.arithmetic.expression import Expression
    from fine_tuning.arithmetic.resolving import resolve
    from fine_tuning.models import quiet_libraries
    from fine_tuning.variants.folder import check_one_base, read_variant

    quiet_libraries()
    a, b = read_variant(one), read_variant(other)
    check_one_base([a, b])
    deltas = [resolve(Expression.of((str(folder), 1.0)), model).deltas[0] for folder in (one, other)]
    found, differing = compare(*deltas), settings(a.about, b.about)
    if as_json:
        groups = {group: overlap._asdict() for group, overlap in found.items()}
        record = {"groups": groups, "settings": {key: list(pair) for key, pair in differing.items()}}
        click.echo(json.dumps(record, ensure_ascii=False, allow_nan=False))
        return
    columns = ("", "norm A", "norm B", "cosine", "changed A", "changed B", "overlap", "chance", "one sign")
    show_table(
        columns,
        (
            (
                group,
                *(f"{norm:.4g}" for norm in o.norms),
                _number(o.cosine, ".3f"),
                *(f"{changed:,}" for changed in o.changed),
                *(_number(value, ".1%") for value in (o.jaccard, o.chance, o.agreement)),
            )
            for group, o in found.items()
        ),
    )
    if differing:
        show_table(("setting", "A", "B"), ((key, *map(_cell, pair)) for key, pair in differing.items()), text=3)


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else format(value, form)
