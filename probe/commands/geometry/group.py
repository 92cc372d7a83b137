"""``probe geometry``: a language's subspaces and what they hold; each part is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from fine_tuning.commands.group import Entry

#: The parts. What does not begin with one of their names is for ``whole``, which runs them all.
COMMANDS = {
    "fit": Entry("probe.commands.geometry.fit:fit", "Fit subspaces to languages' text at every layer."),
    "merge": Entry("probe.commands.geometry.merge:merge", "Add up fits of one model to different text."),
    "ratio": Entry(
        "probe.commands.geometry.ratio:ratio", "Say what projections and shifts do to perplexity and facts."
    ),
    "distance": Entry("probe.commands.geometry.distance:distance", "Say how far languages' subspaces lie apart."),
    "axes": Entry("probe.commands.geometry.axes:axes", "Find the axes of language, position and part of speech."),
    "plot": Entry("probe.commands.geometry.plot:plot", "Draw what was made of fits, on one page and as PNG files."),
    "whole": Entry("probe.commands.geometry.whole:whole", "All of these; what `probe geometry` alone does."),
}
WHOLE = "whole"


class Geometry(click.Group):
    """A group over :data:`COMMANDS`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in {*COMMANDS, *ctx.help_option_names}:
            args = [WHOLE, *args]
        return super().parse_args(ctx, args)

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


@click.group(cls=Geometry)
def geometry():
    """Fit each language's subspace of a model's states, intervene with it, and say how languages lie to each other.

    After Chang, Tu & Bergen (2022).
    """
