"""``probe show``."""

from __future__ import annotations

import click

from probe.commands.options import as_json


@click.command()
@click.argument("result", type=click.Path())
@as_json
def show(result, as_json):
    """Show a RESULT: a record's file, or a run's folder for all its records."""
    from pathlib import Path

    from data_builders.errors import FactrootsError
    from probe.commands.output import show_result
    from probe.results import read_result
    from probe.store import Store

    path = Path(result)
    records = [path]
    if path.is_dir():
        Store(path).read()
        records = sorted(p for p in path.glob("*.json") if p.name not in ("run.json", "timing.json"))
        if not records:
            raise FactrootsError(f"{path} has no record yet; make one with `probe score {path}`")
    for record in records:
        show_result(read_result(record), as_json)
