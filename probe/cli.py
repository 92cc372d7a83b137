"""The command line: finds each command by a table of strings and imports it only when it is called."""

from __future__ import annotations

import errno
import os

import click

from data_builders.errors import FactrootsError
from data_builders.lazy import Entry, Lazy

# Arrow's own pool keeps what has been freed; the system's gives it back when it is asked to (probe.memory).
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


#: Every command; rooms bring their own. Adding one is a line.
COMMANDS = {
    "run": Entry("probe.commands.run:run", "Ask a model every fact, and score its answers."),
    "score": Entry("probe.commands.score:score", "Score a finished run under another protocol, without the model."),
    "show": Entry("probe.commands.show:show", "Show a result as a table."),
    "consistency": Entry("probe.commands.consistency:consistency", "Say how a run's answers hang together."),
    "tune": Entry("fine_tuning.commands.group:tune", "Train variants of a model; add, compare, merge and export them."),
    "compare-variants": Entry(
        "probe.commands.compare_variants:compare_variants", "Say what variants know that their base does not, and lose."
    ),
    "compare": Entry("leaderboard.cli:compare", "Compare two runs on the facts they share."),
    "verify": Entry("probe.commands.verify:verify", "Check finished runs against published numbers."),
    "trace-roots": Entry("probe.commands.trace_roots:trace_roots", "Say where every right answer of a run came from."),
    "presence": Entry("probe.commands.presence:presence", "Say which facts a corpus holds, in which language."),
    "geometry": Entry(
        "probe.commands.geometry.group:geometry", "Fit languages' subspaces, and say what projecting onto them does."
    ),
    "leaderboard": Entry("leaderboard.commands.group:leaderboard", "Keep, rank, show and check results."),
    "corpus": Entry("data_builders.corpora.cli:group", "Build, show and measure corpora."),
    "evidence": Entry("probe.commands.evidence:evidence", "Show the passages that hold a fact's names."),
    "data": Entry("data_builders.cli:group", "List, show, check, export and fetch fact sets."),
    "demo": Entry("fine_tuning.cli:demo", "Make the planted world and the demo model anew."),
}


class Commands(Lazy):
    """A group that turns a user's mistake into one line."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except FactrootsError as error:
            raise _fault(str(error), 2) from error
        except KeyboardInterrupt as error:
            raise _fault(
                "interrupted; what is finished is kept, and the same command goes on from there", 130
            ) from error
        except OSError as error:
            if error.errno not in (
                errno.ENOSPC,
                errno.EDQUOT,
                errno.EACCES,
                errno.EROFS,
                errno.ENOTDIR,
                errno.EISDIR,
                errno.EEXIST,
                errno.EFBIG,
            ):
                raise
            where = f": {error.filename}" if error.filename else ""
            raise _fault(f"{os.strerror(error.errno)}{where}; mend that, and the same command goes on", 2) from error


def _fault(message: str, code: int) -> click.ClickException:
    fault = click.ClickException(message)
    fault.exit_code = code
    return fault


@click.group(
    cls=Commands, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}
)
@click.version_option(package_name="factroots", prog_name="probe")
def main() -> None:
    """What does a multilingual language model know, in which language, and where did it learn it?"""
