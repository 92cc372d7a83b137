"""A board: a folder that git can hold, with a record and a per-item file for each submission.

``submissions/<model>/<revision>/<factset>/<protocol>.json``, and beside it ``<protocol>.<hash>.parquet``, whose name
follows from the record: moving the record to its place is the one step that makes, or replaces, a submission. Whatever
else lies there (an index, writers' folders, a per-item file without its record) can be removed at any time.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_atomically, write_json
from data_builders.schema import Record
from leaderboard import withdrawn
from leaderboard.entry import Entry, read_entry
from leaderboard.names import place
from leaderboard.staging import FOLDER
from leaderboard.submission import Submission
from leaderboard.text import fault_of

SCHEMA_VERSION = 1
_IGNORED = f"/{FOLDER}/\n/site/\n/.site.work/\n/.index.parquet\n.lock\n.*.part\n"


class About(Record):
    """``board.json``."""

    schema_version: Literal[1] = SCHEMA_VERSION
    title: str = Field(max_length=200)


class Board:
    """A board's folder, which :meth:`open` has found to be one."""

    def __init__(self, root: Path, about: About):
        self.root, self.title = Path(root), about.title

    @classmethod
    def create(cls, root: Path, title: str = "") -> Board:
        """Make a board of a new or empty folder. Raises FactrootsError where something else is in it."""
        root = Path(root)
        if (root / "board.json").exists():
            raise FactrootsError(f"{root} is a board already")
        if root.is_dir() and any(path.name != ".git" for path in root.iterdir()):
            raise FactrootsError(f"{root} is not empty; name a new folder")
        root.mkdir(parents=True, exist_ok=True)
        write_atomically(root / ".gitignore", lambda part: part.write_text(_IGNORED, encoding="utf-8"))
        write_json(root / "board.json", About(title=title).model_dump())
        return cls.open(root)

    @classmethod
    def open(cls, root: Path) -> Board:
        """Raises FactrootsError where there is no board, or one of another version."""
        path = Path(root) / "board.json"
        if (Path(root) / "submissions").is_symlink():
            raise FactrootsError(f"{root}/submissions is a symbolic link; a board holds its submissions itself")
        if not path.is_file():
            raise FactrootsError(f"{root} is no board (no board.json); make one with `probe leaderboard init DIR`")
        try:
            about = About.model_validate(read_json(path))
            if fault := fault_of(about.title):
                raise FactrootsError(f"{path}: title {fault}")
            return cls(Path(root), about)
        except ValidationError as error:
            first = error.errors()[0]
            raise FactrootsError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error

    @classmethod
    def enclosing(cls, start: Path) -> Board:
        """The board that `start` is in, or is."""
        start = Path(start).absolute()
        for folder in (start, *start.parents):
            if (folder / "board.json").is_file():
                return cls.open(folder)
        raise FactrootsError("this folder is in no board; pass --board DIR, or make one: `probe leaderboard init DIR`")

    @cached_property
    def submissions(self) -> Path:
        return self.root / "submissions"

    def entries(self) -> list[Entry]:
        """Every submission in order of names, withdrawn ones left out.

        Records are read as this board's own, so by their schema alone; :mod:`leaderboard.validation` checks all.
        Raises FactrootsError for a file that is no record.
        """
        gone = withdrawn.gone(self.root)
        found = (self.read(path) for path in self.records())
        return [entry for entry in found if (entry.name, entry.sha256) not in gone]

    def records(self) -> list[Path]:
        """The files that records lie in, withdrawn ones too, in order of names."""
        return [path for path in self.files() if path.suffix == ".json"]

    def files(self) -> list[Path]:
        """Every file below ``submissions``, hidden ones and links too, in order of names; links are not followed."""
        found = []
        for folder, folders, names in os.walk(self.submissions):
            found += [Path(folder, name) for name in names]
            found += [path for path in (Path(folder, name) for name in folders) if path.is_symlink()]
        return sorted(found)

    def entry(self, name: str) -> Entry:
        """The entry of this name, or the only one whose name holds the text. Raises FactrootsError otherwise."""
        names = {self.name_of(path): path for path in self.records()}
        wanted = name.removesuffix(".json")
        fitting = [wanted] if wanted in names else [own for own in names if wanted in own]
        gone = withdrawn.gone(self.root)
        found = [e for e in (self.read(names[own]) for own in fitting) if (e.name, e.sha256) not in gone]
        if len(found) != 1:
            listed = "\n".join(f"  {own}" for own in ([entry.name for entry in found] or sorted(names))[:20])
            raise FactrootsError(f"{'no entry is' if not found else 'several entries are'} called {name!r}:\n{listed}")
        return found[0]

    def name_of(self, path: Path) -> str:
        """The entry that lies there."""
        return path.relative_to(self.submissions).with_suffix("").as_posix()

    def at(self, submission: Submission) -> Path:
        """Where its record lies, or would."""
        where = place(submission)
        return self.submissions / where.with_name(f"{where.name}.json")

    def read(self, path: Path) -> Entry:
        """The entry whose record lies there. Raises FactrootsError for a file that is no record."""
        return read_entry(path, self.name_of(path))
