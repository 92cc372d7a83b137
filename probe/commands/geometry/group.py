"""``probe geometry``: a language's subspaces and what they hold; each part is imported when it is called."""

from __future__ import annotations

import click

from data_builders.lazy import Entry, Falling

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


@click.group(cls=Falling, table=COMMANDS, otherwise="whole", no_args_is_help=False)
def geometry():
    """Fit each language's subspace of a model's states, intervene with it, and say how languages lie to each other.

    After Chang, Tu & Bergen (2022).
    """
