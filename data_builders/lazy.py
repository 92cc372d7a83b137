"""Groups of commands by a table of strings: each is imported only when it is called, so that ``--help`` is quick."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives (``module:attribute``) and the line that ``--help`` shows of it."""

    target: str
    summary: str


class Lazy(click.Group):
    """A group over `table`, made by ``@click.group(cls=Lazy, table=COMMANDS)``."""

    def __init__(self, *args, table: Mapping[str, Entry], **more):
        super().__init__(*args, **more)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.table:
            return None
        module, attribute = self.table[name].target.split(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.table.items()])


class Falling(Lazy):
    """A lazy group in which whatever does not begin with a command's name is for the command `otherwise`.

    So is no word at all, unless that is to show the help (``no_args_is_help``).
    """

    def __init__(self, *args, otherwise: str, **more):
        super().__init__(*args, **more)
        self.otherwise = otherwise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args[0] in {*self.table, *ctx.help_option_names} if args else self.no_args_is_help
        return super().parse_args(ctx, args if named else [self.otherwise, *args])
