"""One submission on a board: its record, where that lies, and its answers when they are asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from data_builders.errors import FactrootsError
from leaderboard.files import RECORD, read_bytes
from leaderboard.submission import Submission
from probe.judging import COLUMNS


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


def read_entry(path: Path, name: str) -> Entry:
    """The entry whose record lies there, by its schema alone. Raises FactrootsError for a file that is no record."""
    try:
        text = read_bytes(path, RECORD)
        submission = Submission.model_validate_json(text)
    except FactrootsError as error:
        raise FactrootsError(f"{path.parent}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FactrootsError(f"{path}: {where}: {first['msg']}; `probe leaderboard validate` says more") from error
    return Entry(name, path, hashlib.sha256(text).hexdigest(), submission)


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
