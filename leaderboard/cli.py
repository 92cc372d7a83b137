"""``probe compare``."""

from __future__ import annotations

import click


@click.command()
@click.argument("a", type=click.Path(exists=True))
@click.argument("b", type=click.Path(exists=True))
@click.option("--protocol", help="What the number means; the records' own, or kassner2021 for folders.")
@click.option("--gold", help="The gold policy for both; run A's own, if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(a, b, protocol, gold, as_json):
    """Compare runs A and B (folders, or result records in them) on the facts they share.

    Differences are A minus B, with paired bootstrap intervals over subjects.
    """
    import json
    from pathlib import Path

    from data_builders.errors import FactrootsError
    from leaderboard.comparison import compare as differences
    from probe.protocols import Protocol
    from probe.results import read_result
    from probe.store import Store

    paths = [Path(a), Path(b)]
    named = {read_result(path).protocol for path in paths if path.is_file()}
    if not protocol and len(named) > 1:
        raise FactrootsError(f"the records are of different protocols ({', '.join(sorted(named))}); pass --protocol")
    chosen = Protocol.parse(protocol or next(iter(named), "kassner2021"))
    rows = differences(*(Store(path if path.is_dir() else path.parent) for path in paths), chosen, gold)
    if as_json:
        click.echo(json.dumps({"a": a, "b": b, "protocol": str(chosen), "rows": [row._asdict() for row in rows]}))
        return
    _print(rows, f"P@1, {chosen}: A = {a}, B = {b}")


def _print(rows, title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), box=SIMPLE_HEAD, padding=0, title_justify="left")
    table.add_column("language")
    for name in ("A", "B", "A − B", "95 %", "p", "p (Holm)", "shared", "only A", "only B"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        points = [f"{100 * value:.1f}" for value in (row.a, row.b)]
        between = f"\\[{100 * row.low:+.1f}, {100 * row.high:+.1f}]"
        tests = [f"{row.p:.3f}", "" if row.p_holm is None else f"{row.p_holm:.3f}"]
        counts = [f"{n:,}" for n in (row.shared, row.only_a, row.only_b)]
        table.add_row(row.lang or "all", *points, f"{100 * row.difference:+.1f}", between, *tests, *counts)
    Console().print(table)
