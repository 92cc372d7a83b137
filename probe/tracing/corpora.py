"""The corpus that a user names: a built one's folder, or the planted world, which is made once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from data_builders.corpora.built import Built, open_built
from data_builders.errors import FactrootsError
from data_builders.progress import progress
from data_builders.sources import home, open_source
from fine_tuning.cache import make_once


def open_corpus(text: str, quiet: bool = False) -> Built:
    """The built corpus in the folder `text`, or of ``planted``. Raises FactrootsError for what is none."""
    if text == "planted":
        return open_built(make_once(_planted_folder(), lambda folder: _plant(folder, quiet)))
    if not Path(text).is_dir() and ":" in text:
        raise FactrootsError(f"{text} is not built yet; build it with: probe corpus build '{text}' DIR")
    return open_built(text)


def _planted_folder() -> Path:
    """A place of its own for each world."""
    from importlib.metadata import version

    from data_builders.planted.world import SEED

    return home("corpora") / f"planted-{SEED}-{version('factroots')}-babel{version('babel')}"


def _plant(folder: Path, quiet: bool) -> None:
    from data_builders.corpora.build import build
    from data_builders.planted.world import write_world

    with TemporaryDirectory() as scratch, progress(quiet, "documents") as bar:
        world = Path(scratch) / "world"
        write_world(world, open_source("atlas", None))
        build(f"world:{world}", None, folder, bar)
