"""``probe tune``: a method's name trains, and words of their own do the rest; each is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from fine_tuning.methods.table import METHODS


class Entry(NamedTuple):
    """Where a command lives (``module:attribute``) and the line that ``--help`` shows of it."""

    target: str
    summary: str


#: What is done with variants. Adding one is a line.
COMMANDS = {
    "list": Entry("fine_tuning.commands.manage:list_", "List the variants in a folder."),
    "show": Entry("fine_tuning.commands.manage:show", "Say what a variant is and how it came about."),
    "diff": Entry("fine_tuning.commands.manage:diff", "Say how two variants differ and where they overlap."),
    "compose": Entry("fine_tuning.commands.arithmetic:compose", "Add variants up to one, or keep them together."),
    "merge": Entry("fine_tuning.commands.arithmetic:merge", "Merge variants into one, by TIES, DARE or pruning."),
    "arithmetic": Entry("fine_tuning.commands.arithmetic:arithmetic", "Compute with task vectors: 'xlmr + 0.8*it'."),
    "export": Entry("fine_tuning.commands.exchange:export", "Write a variant for transformers, peft or other tools."),
    "import": Entry("fine_tuning.commands.exchange:import_", "Make a variant of another tool's adapter."),
}
#: What trains: all that is no command is a method and its options.
RUN = "fine_tuning.commands.run:run"


class Tune(click.Group):
    """A group in which whatever does not begin with a command's name is what :data:`RUN` is called with."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in COMMANDS and args[0] not in ctx.help_option_names:
            args = ["METHOD", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["METHOD", *COMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name != "METHOD" and name not in COMMANDS:
            return None
        module, attribute = (RUN if name == "METHOD" else COMMANDS[name].target).split(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    ("METHOD", f"Train: {', '.join(METHODS)}; options: probe tune METHOD --help."),
                    *((name, entry.summary) for name, entry in COMMANDS.items()),
                ]
            )


@click.group(cls=Tune, subcommand_metavar="METHOD [OPTIONS] | COMMAND [ARGS]")
def tune():
    """Train variants of a model and manage them.

    A variant is another model everywhere: probe run --model demo+VARIANT
    """
