"""The site written whole: beside the old one, and then in its place."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError
from data_builders.folder import lock, write_json
from data_builders.progress import Quiet, progress
from leaderboard.board import Board
from leaderboard.site import facts, index, model, pair
from leaderboard.site.content import Content, Table, gather
from leaderboard.site.labels import Labels
from leaderboard.site.scripts import script

#: What says that a folder is a site of ours, which may be replaced.
MARK = "site.json"


class Built(NamedTuple):
    """Where the site is, and how much of it."""

    folder: Path
    models: int
    submissions: int


def of_board(board: Board, folder: Path | None, factsets: Sequence[str], quiet: bool) -> Built:
    """Rank a board and write its site, by default in ``site`` on the board.

    `factsets` are where facts have their names from. Raises FactrootsError as :func:`gather` and :func:`build` do.
    """
    labels = Labels(factsets)
    with progress(quiet, "submissions") as bar:
        return build(gather(board.title, board.entries(), bar), folder or board.root / "site", labels, bar)


def build(board: Content, folder: Path, labels: Labels, bar: Quiet) -> Built:
    """Write the site of a board's content.

    The same content gives the same bytes. Raises FactrootsError where `folder` holds something else.
    """
    with replacing(folder) as part:
        for name in ("assets", "data", "models"):
            (part / name).mkdir()
        _assets(part / "assets")
        _write(part / "index.html", index.page(board))
        _write(part / "pair.html", pair.page())
        _write(part / "data" / "board.js", script("board", index.data(board)))
        with open(part / "board.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([_plain(cell) for cell in row] for row in index.rows(board))
        pages: dict[str, list[model.Place]] = {}
        for one in board.tables:
            for row in filter(lambda row: row.own, one.rows):
                pages.setdefault(row.page, []).append(model.Place(one, row))
        for name, places in pages.items():
            _write(part / "models" / f"{name}.html", model.page(places))
        for one in board.tables:
            _answers(part / "data", one, labels, bar)
        write_json(part / MARK, {"schema_version": 1, "title": board.title})
    return Built(folder, len(pages), sum(map(len, pages.values())))


def _answers(folder: Path, one: Table, labels: Labels, bar: Quiet) -> None:
    rows = [row for row in one.rows if row.submission.answers]
    if not rows:
        return
    bar.start(one.title, 2 * len(rows))

    def frames() -> Iterator:
        for row in rows:
            yield row.entry.answers(facts.COLUMNS)
            bar.advance(1)

    known = facts.facts(frames(), one.langs)
    for number, lang in enumerate(one.langs):
        if lang in known.ends:
            names = labels.of(one.meaning["facts"], lang)
            name = f"facts-{one.id}-{number}"
            _write(folder / f"{name}.js", script(name, facts.asked(known, lang, names)))
    for row, frame in zip(rows, frames(), strict=True):
        _write(folder / f"{row.id}.js", script(row.id, facts.answers(frame, known)))


def _assets(folder: Path) -> None:
    for asset in sorted((files("leaderboard.site") / "assets").iterdir(), key=lambda path: path.name):
        (folder / asset.name).write_bytes(asset.read_bytes())
    plotly = files("plotly") / "package_data" / "plotly.min.js"
    (folder / "plotly.min.js").write_bytes(plotly.read_bytes())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _plain(cell):
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


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
            shutil.rmtree(work, ignore_errors=True)
