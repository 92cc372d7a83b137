"""``probe consistency``."""

from __future__ import annotations

import click

from probe.commands.options import as_json, gold


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.option("--protocol", help="What an answer is; kassner2021 for masked LMs and bear for others, if not given.")
@gold(None)
@click.option(
    "--weights",
    type=click.Choice(["softmax", "linear", "square"]),
    default="softmax",
    show_default=True,
    help="How much the first candidates count in RankC.",
)
@as_json
def consistency(run, protocol, gold, weights, as_json):
    """Say how the answers of a finished RUN hang together, without the model.

    Languages two by two (RankC, shared knowledge, the gap on the same facts), paraphrases of one question, confidence
    and calibration, and P@1 by the object's length and frequency. docs/metrics.md defines each number.
    """
    import json

    from rich.console import Console

    from probe.passes import DEFAULT
    from probe.portrait import portrait, record
    from probe.portrait_tables import show
    from probe.protocols import Protocol
    from probe.store import Store

    store = Store(run)
    chosen = Protocol.parse(protocol or DEFAULT[store.read()["model"]["family"]])
    found = portrait(store, chosen, gold, weights)
    if as_json:
        click.echo(json.dumps(record(found), ensure_ascii=False, allow_nan=False))
    else:
        show(found, Console())
