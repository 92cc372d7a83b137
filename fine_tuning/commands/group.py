"""``probe tune``: a method's name trains, and words of their own do the rest; each is imported when it is called."""

from __future__ import annotations

import click

from data_builders.lazy import Entry, Falling
from fine_tuning.methods.table import METHODS

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
#: With what trains: all that is no command is a method and its options.
TABLE = {
    "METHOD": Entry("fine_tuning.commands.run:run", f"Train: {', '.join(METHODS)}; options: probe tune METHOD --help."),
    **COMMANDS,
}


@click.group(cls=Falling, table=TABLE, otherwise="METHOD", subcommand_metavar="METHOD [OPTIONS] | COMMAND [ARGS]")
def tune():
    """Train variants of a model and manage them.

    A variant is another model everywhere: probe run --model demo+VARIANT
    """
