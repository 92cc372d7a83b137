"""A folder of ours that a new one takes the place of, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_builders.errors import FactrootsError
from data_builders.folder import lock

#: What says that a folder is a site of ours, which may be replaced.
MARK = "site.json"


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of the site in `folder` when the block ends well.

    Until then the old site is as it was; one who dies between the two moves is put right by the next.
    Raises FactrootsError where `folder` is no site of ours, or another process is writing it.
    """
    folder = Path(folder).absolute()
    if folder.exists() and not ((folder / MARK).is_file() or (folder.is_dir() and not any(folder.iterdir()))):
        raise FactrootsError(f"{folder} holds something that is no site; name another folder with --output")
    work = folder.with_name(f".{folder.name}.work")
    with lock(work):
        new, old = work / "new", work / "old"
        if old.exists() and not folder.exists():
            old.rename(folder)
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)
        new.mkdir()
        try:
            yield new
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        finally:
            if old.exists() and not folder.exists():
                old.rename(folder)
            shutil.rmtree(work, ignore_errors=True)
