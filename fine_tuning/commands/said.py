"""What commands say of variants: those that are made, those that would be, and those that there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

folder = click.Path(path_type=Path, file_okay=False)
as_json = click.option("--json", "as_json", is_flag=True, help="Print a record instead of tables or lines.")


def output(command: Callable) -> Callable:
    """``--output``, ``--dry-run`` and ``--json`` of commands that make a variant."""
    for option in (
        as_json,
        click.option("--dry-run", is_flag=True, help="Say what would be made: parameters, share, disk."),
        click.option("--output", metavar="V", type=click.Path(file_okay=False), help="The new variant's folder."),
    ):
        command = option(command)
    return command


def check_output(output: str | None, dry_run: bool) -> None:
    """Before any work: there is a name for what is made, and nothing in its way."""
    from fine_tuning.variants.folder import refuse_existing

    if not output and not dry_run:
        raise click.UsageError("name the new variant's folder with --output, or pass --dry-run")
    if output:
        refuse_existing(Path(output))


def made(record: dict[str, Any], as_json: bool) -> None:
    """Print what was made or would be: ``output`` (None in a dry run), ``method``, ``stored``, ``parameters``,
    ``bytes``, and whatever else the command knows."""
    if as_json:
        click.echo(json.dumps(record, ensure_ascii=False, allow_nan=False))
        return
    share = record["stored"] / record["parameters"]
    verb = f"kept in {record['output']}" if record["output"] else "would be made"
    click.echo(
        f"{record['method']}: {record['stored']:,} numbers, {share:.3%} of the base, {size(record['bytes'])}; {verb}"
    )


def variant_record(variant, output: str | None) -> dict[str, Any]:
    """A variant's record for :func:`made`."""
    about = variant.about
    return {
        "output": output,
        "method": about.method,
        "kind": about.kind,
        "base": about.base.spec,
        "stored": about.stored,
        "parameters": about.base.parameters,
        "bytes": variant.bytes,
        "parents": [parent.model_dump() for parent in about.parents],
    }


def size(count: int) -> str:
    """Bytes for a reader: ``1.2 MB``."""
    value, units = float(count), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while value >= 1000 and unit != "TB":
        value, unit = value / 1000, next(units)
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], text: int = 1) -> None:
    """Print a table; the first `text` columns are words, the others numbers. None is a dash."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=0)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < text else "right", overflow="fold")
    for row in rows:
        table.add_row(*("–" if cell is None else escape(str(cell)) for cell in row))
    Console().print(table)
