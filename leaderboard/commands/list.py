"""``probe leaderboard list``."""

from __future__ import annotations

import click

from leaderboard.commands.options import as_json, board


@click.command("list")
@click.option("--model", help="Only models with this in their names.")
@click.option("--factset", help="Only fact sets with this in their text.")
@click.option("--protocol", help="Only protocols with this in their text.")
@click.option("--lang", help="Show this language's scores.")
@as_json
@board
def list_(model, factset, protocol, lang, as_json, board):
    """List the board's submissions, those that mean the same together, with their scores and intervals."""
    import json

    from leaderboard.index import indexed, select

    rows = select(indexed(board), lang, model=model, factset=factset, protocol=protocol).to_pylist()
    if as_json:
        hidden = ("size", "changed")
        rows = [{key: value for key, value in row.items() if key not in hidden} for row in rows]
        click.echo(json.dumps({"board": board.title, "lang": lang, "rows": rows}, ensure_ascii=False))
    elif not rows:
        click.echo("no submission" + (" fits" if model or factset or protocol else ""))
    else:
        _print(rows, lang)


def _print(rows: list[dict], lang: str | None) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from leaderboard.text import shown

    table = Table(
        title=f"P@1 (%){f', {escape(lang)}' if lang else ''}", box=SIMPLE_HEAD, padding=0, title_justify="left"
    )
    for name in ("model", "facts", "protocol"):
        table.add_column(name, overflow="fold")
    for name in ("score", "95 %", "chance", "n", "unscored"):
        table.add_column(name, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        names = [escape(shown(row[name], 60)) for name in ("model", "factset", "protocol")]
        between = "–" if row["low"] is None else f"\\[{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
        counts = ["–" if row[name] is None else f"{row[name]:,}" for name in ("n", "n_unscored")]
        last = place + 1 == len(rows) or rows[place + 1]["class"] != row["class"]
        table.add_row(*names, _points(row["value"]), between, _points(row["chance"]), *counts, end_section=last)
    console = Console(highlight=False)
    console.print(table)
    classes = len({row["class"] for row in rows})
    if classes > 1:
        console.print(
            f"{classes} kinds of numbers, which do not compare: `probe leaderboard show` says what each means"
        )


def _points(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
