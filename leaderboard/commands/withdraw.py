"""``probe leaderboard withdraw``."""

from __future__ import annotations

import click

from leaderboard.commands.options import board


@click.command()
@click.argument("entry")
@click.option("--why", required=True, help="The reason, in a line; it stays on the board.")
@board
def withdraw(entry, why, board):
    """Take ENTRY off the board. The reason is kept in withdrawn.jsonl; `submit --replace` brings it back."""
    from data_builders.errors import FactrootsError
    from leaderboard.text import LENGTHS, fault_of
    from leaderboard.writing import withdraw as take_off

    if not why.strip():
        raise FactrootsError("--why is empty; say why it is withdrawn")
    if fault := fault_of(why, LENGTHS["note"]):
        raise FactrootsError(f"--why {fault}")
    found = board.entry(entry)
    take_off(board, found, why)
    click.echo(f"{found.name} is withdrawn")
