"""Options of all commands that work on fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import click

from data_builders.errors import FactrootsError


class Layers(click.ParamType):
    """Layers and ranges of them separated by commas, in order, each once."""

    name = "L,L-L,…"

    def convert(self, value, param, ctx) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        found = set()
        for part in value.split(","):
            match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
            if match is None or int(match[2] or match[1]) < int(match[1]):
                self.fail(
                    f"{part.strip() or 'nothing'} is no layer and no range of layers; say for example 0,4-8", param, ctx
                )
            found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
        return tuple(sorted(found))


def fits(command: Callable) -> Callable:
    """``--fits``."""
    return click.option(
        "--fits", "folder", required=True, type=click.Path(file_okay=False), help="What `probe geometry fit` made."
    )(command)


def layers(command: Callable) -> Callable:
    """``--layers``; all of the fits, if not given."""
    return click.option("--layers", type=Layers(), help="As 0,4-8; 0 is the embeddings; all, if not given.")(command)


def chosen(given: Collection | None, there: Collection, option: str) -> list:
    """What an option takes of what there is, which is all of it where the option is not given.

    Raises FactrootsError for what there is not.
    """
    missing = [str(one) for one in given or () if one not in there]
    if missing:
        raise FactrootsError(f"there is no {', '.join(missing)} for {option}; there are: {', '.join(map(str, there))}")
    return [*(there if given is None else given)]
