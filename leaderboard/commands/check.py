"""``probe leaderboard check``."""

from __future__ import annotations

from pathlib import Path

import click

from leaderboard.commands.options import as_json

_path = click.Path(path_type=Path, exists=True)


class Report(click.Path):
    """A file to be written, in a folder that is there: told before any work."""

    def convert(self, value, param, ctx) -> Path:
        path = Path(super().convert(value, param, ctx))
        return path if path.parent.is_dir() else self.fail(f"there is no folder {path.parent}", param, ctx)


_file = Report(dir_okay=False)


@click.command()
@click.option(
    "--baseline", type=_path, required=True, help="A board, a record on one, a run's folder, or a record in it."
)
@click.option("--run", "run", type=_path, required=True, help="A run's folder, or a record in it.")
@click.option("--model", help="Which entry of a board, where several are comparable.")
@click.option("--protocol", help="What the number means; the baseline's own, if not given.")
@click.option(
    "--max-drop",
    type=click.FloatRange(0, 1),
    help="Fail beyond this drop of P@1 over all, as 0.01, whether or not it could be noise.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="How often a run that has not fallen may fail, over all that is tested.",
)
@click.option("--by", type=click.Choice(["lang", "relation"]), help="Test each language or relation too.")
@click.option("--junit", type=_file, help="Write JUnit XML to this file.")
@click.option("--markdown", type=_file, help="Write a summary for a pull request to this file.")
@as_json
def check(baseline, run, model, protocol, max_drop, alpha, by, junit, markdown, as_json):
    """Fail when a run's P@1 has fallen behind a baseline's.

    Exit code 0: no drop was found. 1: P@1 fell, by a one-sided paired test over subjects, corrected by Holm's method
    over all that is tested; or by more than --max-drop. 2: the two cannot be compared; the message says why.
    """
    import json
    import sys

    from leaderboard import checking
    from leaderboard import junit as xml
    from leaderboard import markdown as summary
    from leaderboard.sides import NotComparable, sides

    try:
        found = checking.check(*sides(baseline, run, protocol, model), alpha, by, max_drop)
    except NotComparable as error:
        for path, writer in ((junit, xml), (markdown, summary)):
            if path:
                writer.write_error(path, str(error))
        raise
    for path, writer in ((junit, xml), (markdown, summary)):
        if path:
            writer.write(path, found)
    if as_json:
        click.echo(json.dumps(found.record(), ensure_ascii=False, allow_nan=False))
    else:
        _print(found)
    sys.exit(1 if found.reasons else 0)


def _print(found) -> None:
    from leaderboard import saying
    from leaderboard.showing import plain_table, terminal
    from leaderboard.text import shown

    console = terminal()
    console.print(f"P@1 of {shown(found.run)} against {shown(found.baseline)}", markup=False)
    console.print(shown(found.means, 300), markup=False, style="dim")
    console.print(plain_table(saying.HEAD, [saying.cells(one) for one in saying.rows(found)]))
    for line in [*saying.quiet_groups(found), *saying.power(found), *saying.uneven(found)]:
        console.print(line, markup=False)
    for line in (["facts lost:"] if found.lost else []) + saying.facts(found.lost):
        console.print(f"  {line}" if line != "facts lost:" else line, markup=False)
    console.print(saying.verdict(found), markup=False, style="bold red" if found.reasons else "bold")
