"""A board: a folder that git can hold, with a record and a per-item file for each submission.

``submissions/<model>/<revision>/<factset>/<protocol>.json``, and beside it ``<protocol>.<hash>.parquet``, whose name
follows from the record: moving the record to its place is the one step that makes, or replaces, a submission. Whatever
else lies there (an index, writers' folders, a per-item file without its record) can be removed at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
from pydantic import Field, ValidationError

from data_builders.errors import FactrootsError
from data_builders.folder import read_json, write_atomically, write_json
from data_builders.schema import Record
from leaderboard import withdrawn
from leaderboard.files import RECORD, read_bytes
from leaderboard.names import place
from leaderboard.staging import FOLDER, alone, settle, staged, sweep
from leaderboard.submission import Submission
from probe.judging import COLUMNS

SCHEMA_VERSION = 1
_IGNORED = f"/{FOLDER}/\n/.index.parquet\n.lock\n.*.part\n"


class About(Record):
    """``board.json``."""

    schema_version: Literal[1] = SCHEMA_VERSION
    title: str = Field(max_length=200)


@dataclass(frozen=True)
class Entry:
    """A submission on a board. `name` is its place without an extension, `sha256` that of its record's bytes."""

    name: str
    path: Path
    sha256: str
    submission: Submission

    @property
    def answers_path(self) -> Path | None:
        """The per-item file; None of a result that is only told."""
        held = self.submission.answers
        return held and self.path.with_name(answers_name(self.path, held.sha256))

    def answers(self, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
        """The judged answers, read when asked for, or some of their columns; NaN is what is not defined."""
        from leaderboard.answers import read

        if self.answers_path is None:
            raise FactrootsError(f"{self.name} has no answers: it was told by {self.submission.origin}")
        return read(self.answers_path, columns)


class Added(NamedTuple):
    """An entry, and whether it is ``new``, took an older one's place (``replaced``), or was ``there`` already."""

    entry: Entry
    how: Literal["new", "replaced", "there"]


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
            return cls(Path(root), About.model_validate(read_json(path)))
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
        found = (self._read(path) for path in self.records())
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
        found = [e for e in (self._read(names[own]) for own in fitting) if (e.name, e.sha256) not in gone]
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

    def add(self, submission: Submission, answers: Path | None, replace: bool = False) -> Added:
        """Put a submission that has been found good on the board, whole or not at all; `answers` is copied.

        Raises FactrootsError where another stands in its place, or it was withdrawn, unless `replace`.
        """
        path, text = self.at(submission), text_of(submission)
        made = Entry(self.name_of(path), path, hashlib.sha256(text).hexdigest(), submission)
        if found := self._there(made, replace):
            return found
        with staged(self.root) as part:
            (part / "record").write_bytes(text)
            if answers is not None:
                shutil.copyfile(answers, part / "answers")
                _same(part / "answers", submission)
            with alone(self.root):
                if found := self._there(made, replace):  # somebody else was faster
                    return found
                return self._move(made, part)

    def _there(self, made: Entry, replace: bool) -> Added | None:
        """What `made` comes to where nothing has to be done; raises FactrootsError where nothing may be."""
        gone = withdrawn.gone(self.root)
        held = self._read(made.path) if made.path.exists() else None
        if held and (held.name, held.sha256) not in gone:
            if same(held.submission, made.submission):
                whole = held.answers_path is None or held.answers_path.exists()
                return Added(held, "there") if whole and (not replace or held.sha256 == made.sha256) else None
            if not replace:
                raise FactrootsError(
                    f"{made.name} is there with another score ({_points(held)}, this is {_points(made)}); "
                    "pass --replace to put this one in its place"
                )
            return None
        value = made.submission.result.value
        back = [event for event in gone.values() if (event.entry, event.value) == (made.name, value)]
        if back and not replace:
            raise FactrootsError(f"{made.name} was withdrawn ({back[-1].why}); pass --replace to submit it again")
        return None

    def _move(self, made: Entry, part: Path) -> Added:
        """Alone in the board: the answers first, the record last."""
        held = self._read(made.path) if made.path.exists() else None
        made.path.parent.mkdir(parents=True, exist_ok=True)
        if made.answers_path is not None:
            settle(part / "answers", made.answers_path)
        settle(part / "record", made.path)
        if (made.name, made.sha256) in withdrawn.gone(self.root):
            self._tell(made, "submitted again", "")
        if held and held.answers_path not in (None, made.answers_path):
            held.answers_path.unlink(missing_ok=True)
        return Added(made, "replaced" if held else "new")

    def withdraw(self, entry: Entry, why: str) -> None:
        """Take an entry off the board; the reason stays, and is the one step that does it."""
        with alone(self.root):
            if not entry.path.exists() or self._read(entry.path).sha256 != entry.sha256:
                raise FactrootsError(f"{entry.name} has changed meanwhile; look at it again")
            self._tell(entry, "withdrawn", why)
            self._remove(entry.path)
            if entry.answers_path is not None:
                self._remove(entry.answers_path)

    def tidy(self) -> list[Path]:
        """Remove what a writer that died has left: folders of its own, per-item files without a record, records that
        are withdrawn. Returns what was removed."""
        with alone(self.root):
            sweep(self.root)
            gone, kept, swept = withdrawn.gone(self.root), set(), []
            for path in self.records():
                try:
                    entry = self._read(path)
                except FactrootsError:  # it stays until somebody has looked at it, and its answers too
                    kept |= set(path.parent.glob(f"{path.stem}.*"))
                    continue
                if (entry.name, entry.sha256) in gone:
                    swept.append(path)
                elif entry.answers_path is not None:
                    kept.add(entry.answers_path)
            swept += [path for path in self.files() if path.suffix == ".parquet" and path not in kept]
            for path in swept:
                self._remove(path)
            return swept

    def _remove(self, path: Path) -> None:
        """Remove a file, and the folders that are empty then."""
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.submissions:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def _tell(self, entry: Entry, what: Literal["withdrawn", "submitted again"], why: str) -> None:
        now, result = datetime.now(UTC).isoformat(timespec="seconds"), entry.submission.result
        held = {"value": result.value, "signature": result.signature}
        withdrawn.add(
            self.root, withdrawn.Event(what=what, entry=entry.name, sha256=entry.sha256, when=now, why=why, **held)
        )

    def _read(self, path: Path) -> Entry:
        try:
            text = read_bytes(path, RECORD)
            submission = Submission.model_validate_json(text)
        except FactrootsError as error:
            raise FactrootsError(f"{path.parent}: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise FactrootsError(f"{path}: {where}: {first['msg']}; `probe leaderboard validate` says more") from error
        return Entry(self.name_of(path), path, hashlib.sha256(text).hexdigest(), submission)


def text_of(submission: Submission) -> bytes:
    """A record's bytes: the one form that it is written in."""
    text = json.dumps(submission.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False)
    return (text + "\n").encode()


def answers_name(record: Path, sha256: str) -> str:
    """What the per-item file of a record is called."""
    return f"{record.stem}.{sha256[:12]}.parquet"


def same(a: Submission, b: Submission) -> bool:
    """Whether two say the same of the same: notes, times and the code that summed answers up may be others."""
    left, right = (
        one.model_copy(update={"result": one.result.model_copy(update={"code": {}, "packages": {}})}) for one in (a, b)
    )
    return (left.result, left.n, left.origin) == (right.result, right.n, right.origin)


def _points(entry: Entry) -> str:
    return f"{100 * entry.submission.result.value:.2f}"


def _same(answers: Path, submission: Submission) -> None:
    """The copy that goes to the board is the file that was checked."""
    with open(answers, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != submission.answers.sha256:
            raise FactrootsError("the per-item file has changed meanwhile; submit it again")
