"""Results as tables that a person reads."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from probe.results import CI, Result, Score


def show(result: Result, console: Console) -> None:
    """The table of a result, a row a language; the facts that all languages share come first."""
    shared = next((row.shared.n for row in result.languages if row.shared), None)
    console.print(f"P@1, {escape(result.protocol)} (95 % interval)", style="italic", highlight=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("lang")
    if shared:
        table.add_column(f"same {shared:,} facts", justify="right", style="bold", no_wrap=True)
    table.add_column(
        "all its facts" if shared else "P@1", justify="right", style="" if shared else "bold", no_wrap=True
    )
    for name in ("MRR", "P@5", "chance", "majority", "n"):
        table.add_column(name, justify="right")
    for row in result.languages:
        cells = [_interval(row.shared)] if shared else []
        cells += [_interval(row.all), *(_percent(row.all, name) for name in ("mrr", "p5", "chance", "majority"))]
        table.add_row(escape(row.lang), *cells, _count(row.all))
    console.print(table)
    one = [
        f"{escape(row.lang)} {_percent(row.one_token, 'value')} ({_count(row.one_token)})" for row in result.languages
    ]
    console.print(f"one-token objects, P@1 (n): {', '.join(one)}", highlight=False)
    other = "micro" if "aggregate:macro" in result.signature else "macro"
    means = [f"{escape(row.lang)} {_percent(row.all, other)}" for row in result.languages]
    console.print(f"{other} P@1: {', '.join(means)}", highlight=False)
    base = ", ".join(f"{k} {_number(v)}" for k, v in result.baselines.items())
    console.print(
        f"overall P@1 {_number(result.value)} {_bounds(result.ci)}; {base}; {result.n_scored:,} scored", highlight=False
    )
    if result.n_unscored or result.n_bad_rows:
        reasons = "; ".join(f"{n:,} {escape(why)}" for why, n in sorted(result.n_unscored.items()))
        bad = f"{result.n_bad_rows:,} bad rows skipped" if result.n_bad_rows else ""
        console.print(f"unscored: {'; '.join(filter(None, (reasons, bad)))}", highlight=False)
    if exact := result.float32:
        ranks = "" if exact.ranks_differ is None else f"{exact.ranks_differ:,} ranks and "
        answers = f"{ranks}{exact.answers_differ:,} answers differ from float32"
        console.print(f"of {exact.items:,} items asked again, {answers}", highlight=False)
    console.print(escape(result.signature), style="dim", highlight=False, soft_wrap=True)


def _percent(score: Score | None, name: str) -> str:
    return _number(None if score is None else getattr(score, name))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _bounds(ci: CI) -> str:
    return f"[{100 * ci.low:.1f}, {100 * ci.high:.1f}]".replace("[", "\\[")


def _interval(score: Score | None) -> str:
    return "–" if score is None else f"{_number(score.value)} {_bounds(score.ci)}"


def _count(score: Score | None) -> str:
    return "–" if score is None else f"{score.n:,}"
