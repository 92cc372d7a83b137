"""``board.csv``: the numbers of the page for other programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from leaderboard.site.content import Content

_HEAD = [
    "table",
    "model",
    "origin",
    "best_rank",
    "worst_rank",
    "lang",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "signature",
]


def write(board: Content, path: Path) -> None:
    """Write the file."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_plain(cell) for cell in row] for row in _rows(board))


def _rows(board: Content) -> Iterator[list[str | float | int | None]]:
    """A row a submission and language, "" for all languages; what there is not is empty."""
    yield _HEAD
    for one in board.tables:
        for row in one.rows:
            result = row.submission.result
            about = [one.id, row.label, row.submission.origin, *(row.rank or (None, None))]
            yield [*about, "", result.metric, result.value, *_interval(result), result.n_scored, result.signature]
            for own in result.languages:
                score = getattr(own, "all", own)
                value = (None, None, None, 0) if score is None else (score.value, *_interval(score), score.n)
                yield [*about, own.lang, result.metric, *value, result.signature]


def _interval(score) -> tuple[float | None, float | None]:
    ci = getattr(score, "ci", None)
    return (ci.low, ci.high) if ci else (None, None)


def _plain(cell):
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
