"""``probe leaderboard rank``."""

from __future__ import annotations

import click

from leaderboard.commands.options import as_json, board
from probe.commands.options import Names

#: As in :data:`leaderboard.views.VIEWS`, which is not imported for ``--help``.
VIEWS = ("all", "same-facts", "one-token", "roots", "variants", "cost")


@click.command()
@board
@click.option("--view", type=click.Choice(VIEWS), default="all", show_default=True, help="What to look at.")
@click.option("--by", type=click.Choice(["lang", "relation"]), help="A ranking for each language or relation.")
@click.option("--lang", "langs", type=Names(), default=(), help="Only the facts of these languages, as it,ja.")
@click.option("--quiet", is_flag=True, help="No progress.")
@as_json
def rank(board, view, by, langs, quiet, as_json):
    """Rank the board's submissions, as far as their answers can tell them.

    A rank is the best and the worst place that a submission can have: one more than the number of those that are surely
    better, and the number of those that are not surely worse. All ranks of a table hold together with a chance of
    95 %. Submissions whose numbers mean different things stand in different tables.
    """
    import json
    import time

    from data_builders.errors import FactrootsError
    from data_builders.progress import progress
    from leaderboard.classes import classes
    from leaderboard.views import VIEWS, Asked

    for option in (f"--by {by}" if by else None, "--lang" if langs else None):
        if option and option not in VIEWS[view].takes:
            raise click.UsageError(
                f"--view {view} takes {' and '.join(VIEWS[view].takes) or 'neither --by nor --lang'}"
            )
    began = time.monotonic()
    entries = board.entries()
    every = classes(entries)
    found = [one for one in every if set(langs) <= set(one.langs)]
    if every and not found:
        raise FactrootsError(f"no table has {' and '.join(langs)}; there are: {' '.join(_langs(every))}")
    with progress(quiet or as_json, "submissions") as bar:
        rows = [VIEWS[view].records(one, Asked(by, langs, bar)) for one in found]
    if as_json:
        made = [
            {"class": one.name, "differs": one.differs(found[0]), "rows": own}
            for one, own in zip(found, rows, strict=True)
        ]
        click.echo(json.dumps({"board": board.title, "view": view, "by": by, "classes": made}, allow_nan=False))
        return
    _print(view, VIEWS[view].summary, found, rows, f"{len(entries):,} submissions, {time.monotonic() - began:.1f} s")


def _langs(every) -> list[str]:
    return sorted({lang for one in every for lang in one.langs})


def _print(view: str, summary: str, found, rows, said: str) -> None:
    from rich.markup import escape

    from leaderboard.showing import NOTES, show, terminal
    from leaderboard.text import shown

    console = terminal()
    for number, (one, own) in enumerate(zip(found, rows, strict=True)):
        console.print(escape(f"{shown(one.title, 300)}: {summary}"), style="italic", highlight=False, soft_wrap=True)
        if number:
            console.print(
                escape(f"not comparable with the first table: {shown('; '.join(one.differs(found[0])), 500)}")
            )
        show(view, own, console)
    console.print(f"{NOTES[view]}{said}", highlight=False, markup=False)
