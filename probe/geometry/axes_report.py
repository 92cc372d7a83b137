"""Axes of languages, positions and parts of speech as tables that a person reads. Shares are in percent."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.geometry.axes_record import Axes, Kind, Layer, Transfer
from probe.geometry.distance_report import plain, put

#: How each kind's classes are called.
NAMES = {"language": "languages", "position": "positions", "pos": "parts of speech"}
#: Of languages, and of what is not: the text that shares are told on.
_READ = {
    True: "axes of languages were found on one part of the text, and what they hold is told on another",
    False: "what other axes hold is told on the text that they were found on; found on others: in each language, what "
    "axes hold that the other languages have, the languages' mean; what lies between languages counts as within other "
    "classes, so that their axes turn away from it as far as they can",
}
#: What a table shows of a layer.
Columns = dict[str, Callable[[Layer], str]]


def show(record: Axes, console: Console) -> None:
    """By kind: what the first axes hold at every layer, beside random ones, and how they stay through layers."""
    for kind in record.kinds:
        what, told = NAMES[kind.kind], [layer for layer in kind.layers if layer.axes]
        for reason in dict.fromkeys(layer.refused for layer in kind.layers if layer.refused):
            where = ", ".join(str(layer.layer) for layer in kind.layers if layer.refused == reason)
            console.print(escape(f"no axes of {what} at layer {where}: {reason}"), highlight=False, soft_wrap=True)
        if told:
            shown = max(len(point.at) for layer in told for point in layer.points)
            put(console, f"axes of {what}, in {' '.join(kind.langs)}", _table(told, _held(shown)))
            if kind.kind != "language" and len(kind.langs) > 1:
                put(console, f"languages on the axes of {what}", _table(told, _language(shown)))
            put(console, f"the first {shown} axes of {what} through layers", _table(told, _stable(kind, record.middle)))
    for line in _notes(record):
        console.print(escape(line), highlight=False, soft_wrap=True)
    console.print(escape(record.signature), style="dim", highlight=False, soft_wrap=True)


def _held(shown: int) -> Columns:
    columns: Columns = {"between": lambda layer: _percent(layer.between)}
    for i in range(shown):
        columns[f"axis {i + 1}"] = lambda layer, i=i: _axis(layer, i, "of_between", "explained")
    return columns


def _language(shown: int) -> Columns:
    """The same of languages, on axes of something else."""
    columns: Columns = {"between": lambda layer: _percent(layer.language_between)}
    for i in range(shown):
        columns[f"axis {i + 1}"] = lambda layer, i=i: _axis(layer, i, "language", "language_explained")
    return columns


def _axis(layer: Layer, i: int, share: str, own: str) -> str:
    """How much of all between classes an axis has, and how much of its own variance that is."""
    if i >= len(layer.axes):
        return "–"
    return f"{_percent(getattr(layer.axes[i], share))} ({_percent(getattr(layer.axes[i], own))})"


def _stable(kind: Kind, middle: int) -> Columns:
    def value(part: str, show: Callable[[float], str]) -> Callable[[Layer], str]:
        return lambda layer: show(getattr(layer.stable, part)) if layer.stable else "–"

    columns: Columns = {
        f"angle to\nlayer {middle}": value("angle", _degrees),
        "floor": value("floor", _degrees),
        "by\nchance": value("chance", _degrees),
        f"layer {middle}'s\nhold here": value("held", _percent),
        "its own": value("own", _percent),
        "random": value("random", _percent),
    }
    if any(layer.transfer for layer in kind.layers):
        for part, name in (("others", "found on\nothers"), ("all", "found\non all")):
            columns[name] = lambda layer, part=part: _percent(_mean(layer.transfer, part))
    return columns


def _mean(transfer: list[Transfer], part: str) -> float | None:
    known = [value for one in transfer if (value := getattr(one, part)) is not None]
    return mean(known) if known else None


def _table(layers: list[Layer], columns: Columns) -> Table:
    table = plain()
    for name in ("layer", *columns):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in layers:
        table.add_row(str(layer.layer), *(value(layer) for value in columns.values()))
    return table


def _notes(record: Axes) -> list[str]:
    return [
        "between: of all variance, in percent; axis: of all that is between (and of what the axis holds itself); a "
        f"random axis has {100 / record.width:.2g} of the one, and of the other what stands under between",
        "hold here, its own, random: of all that is between, the axes together",
        *(note for kind, note in _READ.items() if any((one.kind == "language") == kind for one in record.kinds)),
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _degrees(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}°"
