"""``probe leaderboard``: every command by a table of strings, imported when it is called."""

from __future__ import annotations

import click

from data_builders.lazy import Entry, Lazy

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


@click.group(cls=Lazy, table=COMMANDS)
def leaderboard():
    """Keep results on a board, a folder that git can hold: submit, check, list and withdraw them."""
