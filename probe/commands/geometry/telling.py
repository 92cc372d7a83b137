"""How commands that work on fits end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from data_builders.schema import Record


def tell(record: Record, show: Callable, as_json: bool, kept: Path, files: str, width: int = 100) -> Path:
    """Print a record as JSON, or as tables (by `show`) that need so many columns where there is no terminal.

    Returns `kept`, where its `files` are.
    """
    from rich.console import Console

    if as_json:
        click.echo(record.model_dump_json())
    else:
        console = Console()
        console.width = console.width if console.is_terminal else width
        show(record, console)
        click.echo(f"kept in {kept}: {files}")
    return kept
