"""``probe leaderboard compare``."""

from __future__ import annotations

import click

from leaderboard.commands.options import as_json, board


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--facts", is_flag=True, help="List every fact that one of the two answers rightly and the other does not."
)
@as_json
@board
def compare(a, b, facts, as_json, board):
    """Compare entries A and B, named in full or by a part that no other has, on the facts that both answered.

    Differences are A minus B with paired 95 % intervals over subjects. p is two-sided, of a paired test by subject,
    corrected by Holm's method over all languages, and over all relations.
    """
    import json

    from leaderboard.comparing import compare as differences
    from leaderboard.sides import check_comparable, of_entry

    left, right = (of_entry(board.entry(name)) for name in (a, b))
    check_comparable(left, right)
    found = differences(left, right)
    if as_json:
        click.echo(json.dumps(found.record(facts), ensure_ascii=False, allow_nan=False))
    else:
        _print(found, facts)


def _print(found, facts: bool) -> None:
    from leaderboard.comparing import HEAD, cells
    from leaderboard.showing import plain_table, terminal
    from leaderboard.text import shown

    console = terminal()
    console.print(f"P@1: A = {shown(found.a)}, B = {shown(found.b)}", markup=False, soft_wrap=True)
    console.print(plain_table(HEAD, [cells(one) for one in found.rows]))
    if found.only_a or found.only_b:
        console.print(f"{found.only_a:,} facts were answered by A only, {found.only_b:,} by B only", markup=False)
    for row in found.facts() if facts else ():
        console.print(shown(f"{row.side} {row.lang} {row.item}", 300), markup=False, soft_wrap=True)
