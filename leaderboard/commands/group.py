"""``probe leaderboard``: every command by a table of strings, imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives (``module:attribute``) and the line that ``--help`` shows of it."""

    target: str
    summary: str


#: What is done with boards. Adding one is a line.
COMMANDS = {
    "init": Entry("leaderboard.commands.init:init", "Make a board."),
    "submit": Entry("leaderboard.commands.submit:submit", "Check a run or a submission, and put it on the board."),
    "validate": Entry("leaderboard.commands.validate:validate", "Check a board, or submissions from elsewhere."),
    "list": Entry("leaderboard.commands.list:list_", "List what is on the board."),
    "show": Entry("leaderboard.commands.show:show", "Show one submission with all that is known of it."),
    "rank": Entry("leaderboard.commands.rank:rank", "Rank what is comparable, as far as the answers can tell."),
    "compare": Entry("leaderboard.commands.compare:compare", "Compare two submissions on the facts they share."),
    "check": Entry("leaderboard.commands.check:check", "Fail when a run's P@1 has fallen behind a baseline's."),
    "build": Entry("leaderboard.commands.build:build", "Write the board as a site that needs no server."),
    "serve": Entry("leaderboard.commands.serve:serve", "Write the site, and serve it to this machine."),
    "withdraw": Entry("leaderboard.commands.withdraw:withdraw", "Take a submission off the board."),
    "export": Entry("leaderboard.commands.export:export", "Write the board as a table, or its submissions."),
}


class Lazy(click.Group):
    """A group over :data:`COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].target.split(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=Lazy)
def leaderboard():
    """Keep results on a board, a folder that git can hold: submit, check, list and withdraw them."""
