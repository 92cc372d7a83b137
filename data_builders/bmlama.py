"""BMLAMA (Qi, Fernández and Bisazza, EMNLP 2023): prompts with about ten candidates each, aligned across languages."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import COLUMNS, OBJECT, Template
from data_builders.rows import Layout, keep_good

HEADER = "Prompt\tAns\tCandidate Ans\tSubject"
MASK = "<mask>"
LAYOUT = Layout({name: name for name in COLUMNS if name != "fact"}, ("fact",), extras=True)


class Row(NamedTuple):
    """A line of a file. `index` counts rows from 0 and is what languages join on, together with a candidate's place."""

    line: int
    index: int
    prompt: str
    answer: str
    candidates: list[str]
    subject: str


class BMLama:
    """``DIR/<lang>.tsv``; rows, and the candidates in a row, stand in the same order in every language.

    Entities have no URIs there, so the English labels in ``en.tsv`` serve (each language's own where there is none).
    The relation is read off the English prompt: BMLAMA17's have 38 forms, ``the-capital-of-is`` for one.
    """

    summary = "BMLAMA17 or BMLAMA53: filled-in prompts with about ten candidates each"
    licence = "Apache-2.0, made from mLAMA (CC BY-NC 4.0)"
    needs_path = True

    def __init__(self, path: Path):
        self.path = path
        if not self.languages():
            raise FactrootsError(f"bmlama:{path}: no language in it; expected {path}/<lang>.tsv")

    def languages(self) -> list[str]:
        return sorted(p.stem for p in self.path.glob("*.tsv") if p.name[0] != ".")

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        if lang not in self.languages():
            raise unknown("language", lang, self.languages())
        path = self.path / f"{lang}.tsv"
        rows = list(read_rows(path, problems))
        english = self._english if self._english is not None else {row.index: row for row in rows}
        facts = ((path, row.line, _fact(row, english[row.index])) for row in _aligned(path, rows, english, problems))
        return keep_good(facts, LAYOUT, problems)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        """None: every row brings its own prompt."""
        return []

    @cached_property
    def _english(self) -> dict[int, Row] | None:
        path = self.path / "en.tsv"
        return {row.index: row for row in read_rows(path, Problems())} if path.is_file() else None


def read_rows(path: Path, problems: Problems) -> Iterator[Row]:
    """The rows of one file that are whole; the others are reported. Raises FactrootsError on a wrong header."""
    # Bytes that are not UTF-8 come through as lone surrogates, so that the one bad row can be named.
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, delimiter="\t")
        header = "\t".join(next(reader, [])).removeprefix("\ufeff")
        # The published zh.tsv has a tab where "Candidate Ans" has its space.
        if header.replace("Candidate\tAns", "Candidate Ans") != HEADER:
            raise FactrootsError(f"{path}:1: the header is {header!r}; expected {HEADER!r}")
        for index, cells in enumerate(reader):
            fault = _row_fault(cells)
            if fault:
                problems.add(path, reader.line_num, fault)
            else:
                prompt, answer, candidates, subject = cells
                yield Row(reader.line_num, index, prompt, answer, candidates.split(", "), subject)


def _row_fault(cells: list[str]) -> str | None:
    if len(cells) != 4:
        return f"has {len(cells)} columns, expected 4"
    if any("\udc80" <= char <= "\udcff" for char in "".join(cells)):
        return "is not UTF-8"
    if cells[0].count(MASK) != 1:
        return f"prompt {cells[0]!r} has {cells[0].count(MASK)} {MASK}, expected 1"
    if cells[1] not in cells[2].split(", "):
        return f"answer {cells[1]!r} is not among the candidates {cells[2]!r}"
    return None


def _aligned(path: Path, rows: list[Row], english: dict[int, Row], problems: Problems) -> Iterator[Row]:
    for row in rows:
        other = english.get(row.index)
        if other is None:
            problems.add(path, row.line, f"row {row.index} has no good row in en.tsv to join with")
        elif len(row.candidates) != len(other.candidates):
            # Also how a label that holds the separator itself shows.
            problems.add(path, row.line, f"{len(row.candidates)} candidates where en.tsv has {len(other.candidates)}")
        elif row.candidates.index(row.answer) != other.candidates.index(other.answer):
            problems.add(path, row.line, f"answer {row.answer!r} stands elsewhere among the candidates than in en.tsv")
        else:
            yield row
    if missing := english.keys() - {row.index for row in rows}:
        problems.add(path, 0, f"lacks {len(missing)} of en.tsv's rows, the first is row {min(missing)}")


def _fact(row: Row, english: Row) -> dict:
    """One row in our columns; `english` is the row it joins with."""
    return {
        "fact": f"row-{row.index:05}",
        "relation": _relation(english),
        "subject_uri": english.subject,
        "object_uri": english.candidates[row.candidates.index(row.answer)],
        "subject": row.subject,
        "object": row.answer,
        "prompt": row.prompt.replace(MASK, OBJECT),
        "candidates": english.candidates,
        "candidate_labels": row.candidates,
    }


def _relation(english: Row) -> str:
    """The English prompt without its subject and mask, as a name: other rows of the relation have the same."""
    form = english.prompt.replace(english.subject, " ", 1).replace(MASK, " ")
    return "-".join(re.findall(r"\w+", form.lower())) or "prompt"
