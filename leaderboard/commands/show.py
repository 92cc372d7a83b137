"""``probe leaderboard show``."""

from __future__ import annotations

import click

from leaderboard.commands.options import as_json, board


@click.command()
@click.argument("entry")
@as_json
@board
def show(entry, as_json, board):
    """Show ENTRY: its name, or a part of it that no other has."""
    found = board.entry(entry)
    if as_json:
        click.echo(found.submission.model_dump_json())
        return
    _print(found)


def _print(found) -> None:
    from rich.console import Console

    from leaderboard.comparable import parts
    from leaderboard.submission import Told
    from probe.report import show as show_result

    one, console = found.submission, Console(highlight=False)
    if isinstance(one.result, Told):
        console.print(f"{one.result.metric}: {100 * one.result.value:.1f} %", markup=False)
        for language in one.result.languages:
            console.print(f"  {language.lang}  {100 * language.value:.1f} %", markup=False)
        console.print(one.result.signature, markup=False, soft_wrap=True)
    else:
        show_result(one.result, console)
    said = {
        "entry": found.name,
        "from": one.origin,
        "not verified": ", ".join(one.unverified) or None,
        "command": one.command,
        "started": one.started,
        "seconds": one.seconds,
        "parameters": one.parameters and f"{one.parameters:,}",
        "variant": one.variant and f"of {one.variant.base}, {one.variant.method or 'method not known'}",
        "roots": one.roots and _roots(one.roots.get("", {})),
        "note": one.note or None,
        "means": ", ".join(f"{key} {value}" for key, value in parts(one).items()),
    }
    for name, value in said.items():
        if value is not None:
            console.print(f"{name}: {value}", markup=False, soft_wrap=True)


def _roots(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
