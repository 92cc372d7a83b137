"""Perplexity ratios as tables that a person reads: conditions by layer, controls among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import mean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.geometry.conditions import CONDITIONS
from probe.geometry.ratio_record import FactsRow, Interval, Ratios
from probe.variants.wording import floor, p_value, signed

#: Up to so many layers have room for their intervals.
_ROOM = 4


def show(record: Ratios, console: Console) -> None:
    """Print perplexity as it is, mean ratios by condition and layer, contrasts, in which language is spoken, facts."""
    _say(console, f"{record.measure} perplexity without any condition (95 % interval)")
    plain = _table("lang", ("perplexity", "accuracy", "tokens", "sequences"))
    for one in record.plain:
        accuracy = f"{100 * one.accuracy.value:.1f}"
        plain.add_row(escape(one.lang), _number(one.perplexity, True), accuracy, f"{one.count:,}", f"{one.sequences:,}")
    console.print(plain)
    _say(console, "How many times that it is under a condition at a layer: geometric mean over pairs of languages")
    console.print(_means(record))
    for name in dict.fromkeys(one.condition for one in record.means):
        console.print(escape(f"  {name}: {CONDITIONS[name].summary}"), highlight=False, soft_wrap=True)
    if record.contrasts:
        _say(console, "One over the other, paired by sequence; * where p by Holm is below .05")
        console.print(_contrasts(record))
    if record.speech:
        _say(console, "Tokens of B alone, % of what is said of A's text (tokens of A alone)")
        console.print(_speech(record))
    if record.facts:
        _say(console, f"P@1 of facts, {record.facts.facts}, {record.facts.protocol}: minus that of the model as it is")
        console.print(_facts(record.facts.rows))
    for line in _notes(record):
        console.print(escape(line), highlight=False, soft_wrap=True)
    console.print(escape(record.signature), style="dim", highlight=False, soft_wrap=True)


def _means(record: Ratios) -> Table:
    table = _table("layer", map(str, record.layers))
    room, held = len(record.layers) <= _ROOM, {(one.condition, one.layer): one for one in record.means}
    for name in dict.fromkeys(one.condition for one in record.means):
        own = (held.get((name, layer)) for layer in record.layers)
        table.add_row(escape(name), *("–" if one is None else _number(one.geometric, room) for one in own))
    return table


def _contrasts(record: Ratios) -> Table:
    table = _table("layer", map(str, record.layers))
    room, held = len(record.layers) <= _ROOM, {(one.condition, one.against, one.layer): one for one in record.contrasts}
    for name in dict.fromkeys((one.condition, one.against) for one in record.contrasts):
        own = (held.get((*name, layer)) for layer in record.layers)
        cells = (
            "–" if one is None else _number(one.quotient, room) + ("*" if one.p_holm < 0.05 else " ") for one in own
        )
        table.add_row(escape(" / ".join(name)), *cells)
    return table


def _speech(record: Ratios) -> Table:
    """Means over pairs, beside what the plain pass says and what the texts are."""
    table = _table("layer", map(str, record.layers))

    def row(name: str, cell: Callable[[int], tuple[list, list]]) -> None:
        cells = []
        for layer in record.layers:
            other, own = ([value for value in part if value is not None] for part in cell(layer))
            cells.append(f"{100 * mean(other):.1f} ({100 * mean(own):.1f})" if other and own else "–")
        table.add_row(escape(name), *cells)

    for name in dict.fromkeys(one.condition for one in record.ratios if one.other):
        own = [one for one in record.ratios if one.condition == name]
        row(
            name,
            lambda layer, own=own: tuple(zip(*((r.in_other, r.in_own) for r in own if r.layer == layer), strict=True)),
        )
    speech = record.speech
    row("as it is", lambda _: ([one.plain_other for one in speech], [one.plain_own for one in speech]))
    row("A's text itself", lambda _: ([one.text_other for one in speech], [one.text_own for one in speech]))
    row("B's text itself", lambda _: ([one.other_text_other for one in speech], [one.other_text_own for one in speech]))
    return table


def _facts(rows: Sequence[FactsRow]) -> Table:
    table = _table("lang", ("condition", "layer", "n", "plain", "difference", "p"))
    for one in rows:
        name = one.condition if one.other is None else f"{one.condition}({one.other})"
        plain = f"{100 * one.plain.value:.1f}"
        cells = (
            one.lang,
            name,
            str(one.layer),
            f"{one.n:,}",
            plain,
            signed(one.difference.model_dump()),
            p_value(one.p_holm),
        )
        table.add_row(*map(escape, cells))
    return table


def _notes(record: Ratios) -> Iterator[str]:
    facts = record.facts.rows if record.facts else []
    tests = Counter([(one.condition, one.against) for one in record.contrasts] + [one.condition for one in facts])
    least = 2 / (record.ci.resamples + 1)
    if tests and least * (most := max(tests.values())) > 0.05:
        yield f"{floor({'ci': record.ci.model_dump()}, range(most))}: {record.ci.resamples:,} resamples"
    for one in record.broken:
        where = "plain" if one.layer is None else f"{one.condition} at layer {one.layer}"
        yield (
            f"{one.lang}, {where}: logits are not finite at {one.places} places (the first: sequence {one.sequence}, "
            f"place {one.place}); those sequences are in no number of it; fit with --dtype float32"
        )
    if lost := sum(one.left_out for one in facts):
        yield f"{lost:,} facts were answered with or without a condition only, and are in no difference"


def _number(interval: Interval, room: bool) -> str:
    value = _digits(interval.value)
    return f"{value} [{_digits(interval.low)}, {_digits(interval.high)}]" if room else value


def _digits(value: float) -> str:
    """Two or three of them, however large or small the ratio."""
    if not 0.001 <= value < 1e5:
        return f"{value:.1e}"
    if value < 0.095:
        return f"{value:.3f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _say(console: Console, text: str) -> None:
    console.print(escape(text), style="italic", highlight=False)


def _table(first: str, others) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
