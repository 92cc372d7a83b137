"""What ``run`` and ``score`` do with a finished run: score it, keep the records, show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from data_builders.folder import write_json
from probe.protocols import Protocol
from probe.report import show
from probe.results import Result
from probe.scores import score
from probe.store import Store


def finish(store: Store, protocols: Sequence[Protocol], gold: str | None, as_json: bool) -> None:
    """Write a record for each protocol into the run's folder, and print it."""
    for protocol in protocols:
        result = score(store, protocol, gold)
        path = result_path(store, protocol, gold)
        write_json(path, result.model_dump())
        if as_json:
            print(result.model_dump_json())
        else:
            console = Console()
            show(result, console)
            console.print(f"kept in {path}", highlight=False, markup=False, soft_wrap=True)


def result_path(store: Store, protocol: Protocol, gold: str | None) -> Path:
    """``<protocol>.json``; a gold policy other than the plain one stands in the name."""
    suffix = "" if gold in (None, "one") else f".gold={gold}"
    return store.folder / f"{protocol}{suffix}.json".replace("/", "%2F")


def show_result(result: Result, as_json: bool) -> None:
    """Print one record."""
    if as_json:
        print(result.model_dump_json())
    else:
        show(result, Console())
