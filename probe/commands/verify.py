"""``probe verify``."""

from __future__ import annotations

import click

from probe.commands.options import as_json


@click.command()
@click.argument("paper", type=click.Choice(["zhao2024"]))
@click.argument("runs", nargs=-1, required=True, type=click.Path(file_okay=False))
@click.option("--tolerance", default=0.1, show_default=True, help="How far a P@1 may be off, in points.")
@click.option(
    "--sizes",
    type=click.Path(exists=True, dir_okay=False),
    help="lang<TAB>bytes a line; the published sizes of Wikipedia's abstracts, if not given.",
)
@as_json
@click.pass_context
def verify(context, paper, runs, tolerance, sizes, as_json):
    """Compare finished RUNS with the numbers that PAPER published; the exit code is 1 if one is too far off.

    zhao2024 is the table of Zhao, Yoshinaga and Oba (EACL 2024): all facts of mLAMA in up to 53 languages, full and
    partial match, of mbert and xlmr-large; and P@1's correlation with the size of the Wikipedias.
    """
    import json
    from pathlib import Path

    from probe.store import Store
    from probe.verifying import PROTOCOLS, column, correlation, exceeding, read_sizes, rows

    known, found = read_sizes(Path(sizes) if sizes else None), []
    for folder in runs:
        store = Store(folder)
        model = column(store.read())
        for protocol in PROTOCOLS:
            own = rows(_result(store, protocol), model)
            found.append(
                {
                    "run": folder,
                    "model": model,
                    "protocol": protocol,
                    "rows": [row._asdict() | {"difference": row.difference} for row in own],
                    "r": correlation(own, known)._asdict(),
                    "exceeding": exceeding(own, tolerance),
                }
            )
    if as_json:
        click.echo(json.dumps({"paper": paper, "tolerance": tolerance, "results": found}))
    else:
        for one in found:
            _print(one, tolerance)
    context.exit(1 if any(one["exceeding"] for one in found) else 0)


def _result(store, protocol: str):
    """The record in the run's folder, made from the run where it is missing."""
    from data_builders.errors import FactrootsError
    from data_builders.folder import write_json
    from probe.commands.output import result_path
    from probe.protocols import Protocol
    from probe.results import read_result
    from probe.scores import score

    chosen = Protocol.parse(protocol)
    path = result_path(store, chosen, None)
    if not path.exists():
        with store.lock():
            write_json(path, score(store, chosen).model_dump())
    result, run = read_result(path), store.read()
    if (result.data["sha256"], result.model["sha256"]) != (run["data"]["sha256"], run["model"]["sha256"]):
        raise FactrootsError(f"{path} is not this run's record; remove it, and it is made anew")
    return result


def _print(one: dict, tolerance: float) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    title = f"P@1 (%), {one['protocol']}: {one['model']} as published, and {escape(one['run'])}"
    table = Table(title=title, box=SIMPLE_HEAD, padding=0, title_justify="left")
    table.add_column("language")
    for name in ("published", "ours", "difference", "n published", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in one["rows"]:
        points = (row["ours"], "{:.2f}"), (row["difference"], "{:+.2f}")
        ours = ["–" if value is None else form.format(value) for value, form in points]
        style = "bold" if (row["lang"] or "all") in one["exceeding"] else None
        counts = (f"{row[name]:,}" for name in ("n_published", "n"))
        table.add_row(row["lang"] or "all", f"{row['published']:.2f}", *ours, *counts, style=style)
    console = Console(highlight=False)
    console.print(table)
    r = ["–" if one["r"][name] is None else f"{one['r'][name]:.2f}" for name in ("published", "ours")]
    console.print(f"r with sizes, {one['r']['languages']} languages: published {r[0]}, ours {r[1]}")
    if other := [row["lang"] for row in one["rows"][:-1] if row["n"] != row["n_published"]]:
        console.print(f"not the published number of facts: {', '.join(other)}")
    off = f"more than {tolerance:g} points off: {', '.join(one['exceeding'])}"
    console.print(off if one["exceeding"] else f"reproduced: within {tolerance:g} points everywhere")
