"""The site of a board, written whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from data_builders.folder import write_json
from data_builders.progress import Quiet, progress
from leaderboard.board import Board
from leaderboard.site import data, facts, index, model, pair, sheet
from leaderboard.site.content import Content, Table, gather
from leaderboard.site.labels import Labels
from leaderboard.site.replacing import MARK, replacing
from leaderboard.site.scripts import script
from leaderboard.site.traced import read


class Built(NamedTuple):
    """Where the site is, and how much of it."""

    folder: Path
    models: int
    submissions: int


class Beside(NamedTuple):
    """What the builder of a site has beside the board: fact sets that give facts their names, folders of tracings, and
    the corpus that these were made in. Nothing that a submission names is ever opened."""

    factsets: Sequence[str] = ()
    traced: Sequence[Path] = ()
    corpus: str | None = None


def of_board(board: Board, folder: Path | None, beside: Beside, quiet: bool) -> Built:
    """Rank a board and write its site, by default in ``site`` on the board.

    Raises FactrootsError where answers, a tracing or its corpus are not there, or `folder` holds something else.
    """
    from probe.tracing.corpora import open_corpus

    labels = Labels(beside.factsets)
    corpus = open_corpus(beside.corpus, quiet) if beside.corpus else None
    traced = [read(path, corpus) for path in beside.traced]
    with progress(quiet, "submissions") as bar:
        content = gather(board.title, board.entries(), traced, bar)
        return build(content, folder or board.root / "site", labels, bar)


def build(board: Content, folder: Path, labels: Labels, bar: Quiet) -> Built:
    """Write the site of a board's content; the same content gives the same bytes."""
    with replacing(folder) as part:
        for name in ("assets", "data", "models"):
            (part / name).mkdir()
        _assets(part / "assets")
        _write(part / "index.html", index.page(board))
        _write(part / "pair.html", pair.page())
        sheet.write(board, part / "board.csv")
        _data(part / "data", "board", data.of(board))
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
    """What was asked in a table, by language; what each submission answered; and where that came from."""
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
        if lang not in known.ends:
            continue
        asked = facts.asked(known, lang, labels.of(one.meaning.get("facts", ""), lang))
        _data(folder, f"facts-{one.id}-{number}", asked)
        for row in rows:
            if row.traced and lang in row.traced.roots:
                _data(folder, f"roots-{row.id}-{number}", row.traced.told(lang, asked["item"]))
    for row, frame in zip(rows, frames(), strict=True):
        _data(folder, row.id, facts.answers(frame, known))


def _assets(folder: Path) -> None:
    own = (files("leaderboard.site") / "assets").iterdir()
    for asset in (*own, files("plotly") / "package_data" / "plotly.min.js"):
        (folder / asset.name).write_bytes(asset.read_bytes())


def _data(folder: Path, name: str, value) -> None:
    _write(folder / f"{name}.js", script(name, value))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
