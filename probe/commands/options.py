"""Options that several commands share, and how they become values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from data_builders.factset import GOLDS


class Names(click.ParamType):
    """Names separated by commas, in the order given."""

    name = "A,B,…"

    def convert(self, value, param, ctx) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
        return names or self.fail("no name given", param, ctx)


def protocols(command: Callable) -> Callable:
    """``--protocol``, once or more often."""
    return click.option(
        "--protocol",
        "protocols",
        multiple=True,
        help="What the number means: a preset (kassner2021, zhao2024-full, zhao2024-partial, xfactr, mpararel, bmlama, "
        "geomlama, dlama, bear) or its parts, as in 'kassner2021(combine=sum)'. May be repeated. Without it: "
        "kassner2021 for masked LMs, bear for others.",
    )(command)


def gold(default: str | None) -> Callable:
    """``--gold``."""
    return click.option(
        "--gold",
        type=click.Choice(GOLDS),
        default=default,
        help="Which objects are right where a subject has several: the fact's own (one), any of them (any), "
        "or the fact's own with the others out of the candidates (filtered); unique leaves such facts out.",
    )


def as_json(command: Callable) -> Callable:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result record instead of a table.")(command)


def unit(several: bool = False, among: Sequence[str] | None = None) -> Callable:
    """``--unit``, once or more often; `among` are all that it may be."""
    kinds = ", ".join(among or ("sentence", "paragraph", "abstract", "article", "'window(512,stride=256)' or zhao2024"))
    return click.option(
        "--unit",
        "units" if several else "unit",
        multiple=several,
        type=click.Choice(among) if among else str,
        default=("sentence",) if several else "sentence",
        show_default=True,
        help=f"Where subject and object must stand together: {kinds}.{' May be repeated.' if several else ''}",
    )


def names(command: Callable) -> Callable:
    """``--names``."""
    return click.option(
        "--names",
        "matching",
        default="names",
        show_default=True,
        help="What a name's occurrence is, as 'names(fold=case,overlap=all,aliases,short)'.",
    )(command)


def thresholds(command: Callable) -> Callable:
    """From which count on a fact is present, and the seed of those that it is told by."""
    for option in (
        click.option("--seed", default=0, show_default=True, help="Of the shuffled facts."),
        click.option("--min-lift", default=0.0, show_default=True, help="So many times those that chance gives."),
        click.option("--min-units", type=click.IntRange(min=1), default=1, show_default=True, help="So many units."),
    ):
        command = option(command)
    return command


def filters(command: Callable) -> Callable:
    """The filters of a fact set."""
    for option in (
        click.option("--relations", type=Names(), default=None, help="Keep these relations only, as P36,P30."),
        click.option("--parallel", is_flag=True, help="Keep only facts that every language asked for has."),
        click.option("--one-token", is_flag=True, help="Keep only facts whose object is one token to the model."),
        click.option("--no-leaks", is_flag=True, help="Leave out facts whose subject contains the object."),
        click.option(
            "--sample",
            type=float,
            help="Keep this share of the facts, as 0.02, or this many of each relation and language, as 60; "
            "chosen by their hash.",
        ),
        click.option(
            "--candidates",
            type=int,
            help="Choose among at most this many candidates a question, as 50: the right ones, then others by hash.",
        ),
        click.option("--templates", help="first (the default), all, or mpararel:DIR for paraphrases."),
        gold(None),
    ):
        command = option(command)
    return command
