"""Distances between languages as tables that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from statistics import mean, median

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.geometry.distance import MEASURES
from probe.geometry.distance_record import Distances, Layer
from probe.geometry.distances import matrix


def show(record: Distances, console: Console) -> None:
    """By measure: means over pairs at every layer, beside its floor, and all pairs at the middle one."""
    tokens = sorted(record.tokens.values())
    number = f"{tokens[0]:,}" if tokens[0] == tokens[-1] else f"{tokens[0]:,}–{tokens[-1]:,}"
    about = f"{number} tokens a language, {record.width} dimensions; k holds {record.variance:.0%} of the variance"
    console.print(escape(about), highlight=False)
    held = [layer for layer in record.layers if layer.pairs]
    for name in record.measures:
        put(console, f"{MEASURES[name].unit}: mean over pairs", _layers(record, name))
        if held:
            middle = held[len(held) // 2]
            put(console, f"layer {middle.layer}; on the diagonal a language from itself", _pairs(middle, name))
    for line in _notes(record):
        console.print(escape(line), highlight=False, soft_wrap=True)
    console.print(escape(record.signature), style="dim", highlight=False, soft_wrap=True)


def _layers(record: Distances, name: str) -> Table:
    table, columns = plain(), _columns(name)
    for column in ("layer", *columns):
        table.add_column(column, justify="right")
    for layer in record.layers:
        table.add_row(str(layer.layer), *(_number(value(layer)) if layer.pairs else "–" for value in columns.values()))
    return table


def _columns(name: str) -> dict[str, Callable[[Layer], float]]:
    """What is shown of a layer with pairs by a measure."""

    def over(part: str) -> Callable[[Layer], float]:
        return lambda layer: mean(getattr(pair, part) for pair in layer.pairs if pair.measure == name)

    def floor(part: str) -> Callable[[Layer], float]:
        return lambda layer: median(getattr(own, part) for own in layer.floors if own.measure == name)

    measure = MEASURES[name]
    columns: dict[str, Callable[[Layer], float]] = {"distance": over("value")}
    if name == "riemann":
        columns["log ratio"] = lambda layer: over("value")(layer) / sqrt(layer.dims)
    if measure.chance:
        columns["by\nchance"] = over("chance")
    columns |= {"floor": over("floor"), "times\nfloor": lambda layer: over("value")(layer) / over("floor")(layer)}
    if measure.adds:
        columns["above\nfloor"] = over("above")
    columns["if inde-\npendent"] = floor("independent")
    if measure.closed:
        columns["closed\nform"] = floor("closed")
    columns["cost"] = lambda layer: median(own.value / own.independent for own in layer.floors if own.measure == name)
    return columns


def _pairs(layer: Layer, name: str) -> Table:
    """Every two languages, in the tree's order, and on the diagonal each one's floor."""
    order = next(own.order for own in layer.maps if own.measure == name)
    values = matrix([pair for pair in layer.pairs if pair.measure == name], order)
    floors = {own.lang: own.value for own in layer.floors if own.measure == name}
    np.fill_diagonal(values, [floors[lang] for lang in order])
    table = plain()
    table.add_column("")
    for lang in order:
        table.add_column(escape(lang), justify="right", no_wrap=True)
    for lang, row in zip(order, values.tolist(), strict=True):
        table.add_row(escape(lang), *map(_number, row))
    return table


def _notes(record: Distances) -> Iterator[str]:
    if "riemann" in record.measures:
        yield "log ratio: of the variances of two languages, root mean square over dimensions"
    yield (
        "floor: a language from itself, on other text of as many tokens; if independent: the same were its tokens "
        "independent and normal; cost: the one over the other; above floor: the root of what squares have beyond the "
        "floor's, near the truth while both are small"
    )
    if fewer := {layer.dims for layer in record.layers if layer.dims < record.width}:
        what = [
            f"{record.width - dims} at layer {', '.join(_at(record, dims))}" for dims in sorted(fewer, reverse=True)
        ]
        yield f"directions that do not vary in any language, left out: {'; '.join(what)}"
    for layer in record.layers:
        for lang, n in layer.lacking.items():
            yield (
                f"layer {layer.layer}: {lang} is left out: {n} of {layer.dims} directions vary in others, not in it; "
                "give it more text, or leave it out by --langs"
            )


def _at(record: Distances, dims: int) -> list[str]:
    return [str(layer.layer) for layer in record.layers if layer.dims == dims]


def plain() -> Table:
    """An empty table."""
    return Table(box=SIMPLE_HEAD, padding=(0, 1))


def put(console: Console, title: str, table: Table) -> None:
    """Print a table under a title that may be wider than it."""
    console.print(escape(title), style="italic", highlight=False, soft_wrap=True)
    console.print(table)


def _number(value: float) -> str:
    """Three digits."""
    return f"{value:.{max(0, 2 - int(np.floor(np.log10(value))))}f}" if value > 0 else "0"
