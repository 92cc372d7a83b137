"""GeoMLAMA (Yin et al., EMNLP 2022): what is usual in five countries, asked in five languages."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, takewhile
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import COLUMNS, OBJECT, Template
from data_builders.rows import Layout, keep_good

LAYOUT = Layout({name: name for name in COLUMNS if name != "fact"}, ("fact",), extras=True)
MASK = "<mask>"
PREFIX, AUGMENTED = "gd_prompt_", "_aug"
HEADER = ("Prompt", "Ans", "Candidate Ans")
#: The five prompts of a concept are about these, in this order (``test_mlm_w_mask.py`` of WadeYin9712/GeoMLAMA).
COUNTRIES = {"Q30": "United States", "Q148": "China", "Q668": "India", "Q794": "Iran", "Q114": "Kenya"}


class Row(NamedTuple):
    line: int
    prompt: str
    answers: list[str]
    candidates: list[str]


class GeoMLama:
    """``DIR/gd_prompt_<lang>.tsv``; the paraphrases in ``gd_prompt_<lang>_aug.tsv`` are not read.

    Each of a row's answers is a fact, and ``--gold any`` makes them the right answers to its one question. A fact is
    a concept, a country, and which of the answers it is. Answers have no URIs there and stand in other orders in other
    languages, so labels serve as URIs, and a row with several answers is the same in two languages as a whole only.
    The subject is what differs between the five prompts of a concept, or the country's English name.
    """

    summary = "25 concepts in 5 countries, in en fa hi sw zh: prompts with candidates and several right answers"
    licence = "none stated"
    needs_path = True

    def __init__(self, path: Path):
        self.path = path
        if not self.languages():
            raise FactrootsError(f"geomlama:{path}: no language in it; expected {path}/{PREFIX}<lang>.tsv")

    def languages(self) -> list[str]:
        names = (p.stem.removeprefix(PREFIX) for p in self.path.glob(f"{PREFIX}*.tsv"))
        return sorted(name for name in names if not name.endswith(AUGMENTED))

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        if lang not in self.languages():
            raise unknown("language", lang, self.languages())
        path = self.path / f"{PREFIX}{lang}.tsv"
        rows = list(read_rows(path))
        if len(rows) % len(COUNTRIES):
            problems.add(path, 0, f"has {len(rows)} prompts, expected {len(COUNTRIES)} of each concept")
        starts = range(0, len(rows), len(COUNTRIES))
        concepts = (_facts(path, number, rows[i : i + len(COUNTRIES)]) for number, i in enumerate(starts, 1))
        return keep_good(chain.from_iterable(concepts), LAYOUT, problems)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        """None: every row brings its own prompt."""
        return []


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file that have a prompt. Raises FactrootsError on a header without the columns needed."""
    # As there: cells end at tabs, whatever quotes they hold. Bytes that are not UTF-8 come through as lone surrogates.
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
        lacking = [name for name in HEADER if name not in (reader.fieldnames or ())]
        if lacking:
            raise FactrootsError(f"{path}:1: the header has no {', '.join(lacking)}; is it one of GeoMLAMA's files?")
        for cells in reader:
            prompt, answers, candidates = (cells[name].strip() for name in HEADER)
            if prompt:
                yield Row(reader.line_num, prompt, _listed(answers), _listed(candidates))


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(", ")))


def _facts(path: Path, concept: int, rows: Sequence[Row]) -> Iterator[tuple[Path, int, dict]]:
    relation, prompts = f"concept-{concept:02}", [row.prompt for row in rows]
    for (uri, country), row in zip(COUNTRIES.items(), rows, strict=False):
        for number, answer in enumerate(row.answers, 1):
            yield path, row.line, {
                "fact": f"{relation}|{uri}|{number}",
                "relation": relation,
                "subject_uri": uri,
                "object_uri": answer,
                "subject": _subject(row.prompt, prompts) or country,
                "object": answer,
                "prompt": row.prompt.replace(MASK, OBJECT),
                "candidates": row.candidates,
                "candidate_labels": row.candidates,
            }  # fmt: skip


def _subject(prompt: str, prompts: Sequence[str]) -> str:
    """The part of `prompt` that the others have something else for; empty where that is not a name alone."""
    start = _shared(prompts)
    end = _shared([text[start:][::-1] for text in prompts])
    part = prompt[start : len(prompt) - end].strip()
    return "" if MASK in part else part


def _shared(texts: Sequence[str]) -> int:
    """How many characters all texts begin with."""
    return sum(1 for _ in takewhile(lambda chars: len(set(chars)) == 1, zip(*texts, strict=False)))
