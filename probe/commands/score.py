"""``probe score``."""

from __future__ import annotations

import click

from probe.commands.options import as_json, gold, protocols


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@protocols
@gold(None)
@as_json
def score(run, protocols, gold, as_json):
    """Score a finished RUN under other protocols or another gold policy, without the model."""
    from probe.commands.output import finish
    from probe.passes import DEFAULT
    from probe.protocols import Protocol
    from probe.store import Store

    store = Store(run)
    chosen = [Protocol.parse(text) for text in protocols or [DEFAULT[store.read()["model"]["family"]]]]
    with store.lock():
        finish(store, chosen, gold, as_json)
