"""Submissions from elsewhere: a record, a folder or a zip file of them, taken in as copies of one's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError
from leaderboard import zipped
from leaderboard.entry import answers_name
from leaderboard.files import ANSWERS, RECORD, open_plain, read_bytes
from leaderboard.strict_json import parse
from leaderboard.text import fault_of, shown

#: What is never opened, by name.
_PICKLES = {".pkl", ".pickle", ".pck", ".p", ".pt", ".pth", ".bin", ".joblib", ".dill", ".npy", ".npz", ".ckpt"}
#: How a file begins that is no record, whatever it is called; the first is pickle's, of protocol 2 and up.
_SIGNS = {
    re.compile(rb"\x80[\x02-\x05]"): "a pickle; one can run any program when it is opened, so none ever is",
    re.compile(rb"PAR1"): "a Parquet file; its name should end in .parquet",
    re.compile(rb"PK\x03\x04"): "a zip file; its name should end in .zip",
    re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"): "an archive; only zip files are opened",
    re.compile(rb"(c__builtin__|cos|cposix|cnt|csubprocess|\(dp|\(lp|ccopy_reg)"): "a pickle; none is ever opened",
}
#: What a board holds beside submissions; in a folder or an archive of submissions it is passed over.
_BOARD = {"board.json", "withdrawn.jsonl", ".gitignore", ".lock", ".index.parquet"}


class Taken(NamedTuple):
    """A record's bytes and a copy of its per-item file, where there is one; what is wrong so far, a line each."""

    name: str
    record: bytes
    answers: Path | None
    faults: list[str]


def take(path: Path, into: Path) -> list[Taken]:
    """Every submission at `path`; copies go into the empty folder `into`.

    Raises FactrootsError, with all that is wrong in the folder or archive itself, and where there is none in it.
    """
    path = Path(path)
    if path.suffix == ".zip":
        path = zipped.unpacked(path, into / "unpacked")
    elif path.is_symlink():
        raise FactrootsError(f"{path} is a symbolic link; name what it points to")
    if not path.is_dir():
        return [_one(path, path.name, into / "0")]
    records, faults = [], []
    for found in _files(path):
        name = found.relative_to(path).as_posix()
        if fault := _refused(found, path):
            faults.append(f"{shown(name, 200)}: {fault}")
        elif found.suffix == ".json" and name not in _BOARD:
            records.append(found)
    if faults:
        raise FactrootsError("\n".join(faults))
    if not records:
        raise FactrootsError(f"{path.name} holds no submission (no *.json), and is no run")
    taken = [_one(p, p.relative_to(path).as_posix(), into / str(n)) for n, p in enumerate(records)]
    used = {answers for one, p in zip(taken, records, strict=True) for answers in _answers(p, one.record)[:1]}
    if spare := [p for p in _files(path) if p.suffix == ".parquet" and p not in used]:
        names = (shown(p.relative_to(path).as_posix(), 200) for p in spare)
        raise FactrootsError("\n".join(f"{name}: no record goes with it" for name in names))
    return taken


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, links among them, hidden folders left out."""
    for found in sorted(folder.iterdir()):
        if found.is_dir() and not found.is_symlink():
            if not found.name.startswith("."):
                yield from _files(found)
        else:
            yield found


def _refused(path: Path, root: Path) -> str | None:
    """Why a file may not lie in a folder of submissions; None where it may."""
    if path.is_symlink():
        return "is a symbolic link"
    if not path.is_file():
        return "is no plain file"
    if fault := fault_of(path.name, 255):
        return f"its name {fault}"
    if path.suffix.lower() in _PICKLES:
        return _pickle(path.name)
    if path.suffix in (".json", ".parquet") or (path.parent == root and path.name in _BOARD):
        return None
    return "is no part of a submission (only *.json and *.parquet are)"


def _pickle(name: str) -> str:
    return f"{shown(name)} is a pickle or may hold one; opening it can run any program, so none is ever opened"


def _one(path: Path, name: str, into: Path) -> Taken:
    """One record and what lies beside it."""
    if path.suffix.lower() in _PICKLES:
        raise FactrootsError(_pickle(path.name))
    if path.suffix != ".json":
        raise FactrootsError(f"{shown(path.name)} is no run, no record (*.json), no folder and no zip file")
    into.mkdir(parents=True)
    record = read_bytes(path, RECORD)
    if fault := _sign(record[:64]):
        return Taken(name, record, None, [fault])
    faults, answers = [], None
    if found := _answers(path, record):
        answers = into / found[0].name
        try:
            with open_plain(found[0], ANSWERS) as source, open(answers, "xb") as copy:
                shutil.copyfileobj(source, copy)
        except FactrootsError as error:
            faults, answers = [f"answers: {error}"], None
    return Taken(name, record, answers, faults)


def _sign(begin: bytes) -> str | None:
    """What a file that should be a record is by its first bytes."""
    return next((f"is {what}" for sign, what in _SIGNS.items() if sign.match(begin)), None)


def _answers(path: Path, record: bytes) -> list[Path]:
    """The per-item files that may be a record's, the likelier first: named as a board names it, or as the record is."""
    value = parse(record).value or {}
    held = value.get("answers")
    sha256 = held.get("sha256") if isinstance(held, dict) else None
    named = [path.with_name(answers_name(path, sha256))] if isinstance(sha256, str) and sha256.isalnum() else []
    return [p for p in (*named, path.with_suffix(".parquet")) if p.is_symlink() or p.exists()]
