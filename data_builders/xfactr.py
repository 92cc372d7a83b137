"""X-FACTR (Jiang et al., EMNLP 2020; arXiv 2010.06189) in its published layout: native speakers' prompts, aliases."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import COLUMNS, Template, fact_key, template_fault
from data_builders.inflection import reduced
from data_builders.jsonl import json_lines
from data_builders.rows import Layout, keep_good

LAYOUT = Layout({name: name for name in COLUMNS if name != "fact"}, ("fact",), extras=True)
#: Below the folder of the repository: facts, what entities are called, prompts, further objects of a subject.
FACTS, NAMES = "data/mTRExf/sub", "data/mTRExf_unicode_escape.txt"
PROMPTS, MORE = "data/TREx_prompts.csv", "data/mTRExf_multi_rel.txt"
ALIASES = "data/alias/mTRExf"
FIELDS = ("uuid", "predicate_id", "sub_uri", "obj_uri")


class XFactr:
    """A clone of jzbjyb/X-FACTR. A language's facts are those whose subject and object both have a name in it.

    Further objects of a subject (``*_multi_rel.txt``) are facts too, since the publisher accepts them: under
    ``--gold any`` they are more right answers to one question. Aliases are those of ``data/alias``, where the language
    has a file. Prompts with inflection markup are reduced (:mod:`data_builders.inflection`).
    """

    summary = "46 T-REx relations in 23 languages, prompts by native speakers, aliases, several right answers"
    licence = "none stated"
    needs_path = True

    def __init__(self, path: Path):
        self.path = path
        for name in (FACTS, NAMES, PROMPTS):
            if not (path / name).exists():
                raise FactrootsError(f"xfactr:{path}: has no {name}; expected a clone of jzbjyb/X-FACTR")

    def languages(self) -> list[str]:
        with open(self.path / PROMPTS, encoding="utf-8-sig", newline="") as stream:
            head = next(csv.reader(stream), [])
        if head[:2] != ["pid", "relation"]:
            raise FactrootsError(f"{self.path / PROMPTS}:1: the header is {head}; expected pid, relation and languages")
        return sorted(head[2:])

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        """Facts in the order of the relations' names and of their files, then the further objects."""
        if lang not in self.languages():
            raise unknown("language", lang, self.languages())
        names, aliases = self._names(lang), self._aliases(lang)
        rows = (
            (path, line, _row(*triple, names, aliases)) for path, line, triple in self._triples(names.keys(), problems)
        )
        return keep_good(rows, LAYOUT, problems)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        """One a relation, by native speakers; cells that are empty or no template are passed over or reported."""
        path, found = self.path / PROMPTS, []
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            for cells in reader:
                text = (cells.get(lang) or "").strip()
                plain = reduced(text)
                if fault := text and template_fault(plain):
                    problems.add(path, reader.line_num, f"{cells['pid']} in {lang}: {fault}")
                elif text:
                    made = "human" if plain == text else "human, inflection markup reduced"
                    found.append(Template(cells["pid"], lang, plain, made))
        return found

    def _triples(self, named: Collection[str], problems: Problems) -> Iterator[tuple[Path, int, list[str]]]:
        """Key, relation, subject and object of each fact with both ends `named`: those asked, then further objects."""
        asked: dict[tuple[str, str], set[str]] = {}
        for path in sorted((self.path / FACTS).glob("*.jsonl")):
            for line, row in json_lines(path, problems):
                triple = [row.get(name) for name in FIELDS]
                if not all(isinstance(value, str) for value in triple):
                    problems.add(path, line, f"lacks one of {', '.join(FIELDS)}")
                elif triple[2] in named and triple[3] in named:
                    asked.setdefault((triple[2], triple[1]), set()).add(triple[3])
                    yield path, line, triple
        for line, cells in _cells(self.path / MORE):
            if len(cells) != 3:
                problems.add(self.path / MORE, line, f"has {len(cells)} columns, expected subject, relation, objects")
            elif held := asked.get((cells[0], cells[1])):
                for answer in [o for o in dict.fromkeys(cells[2].split()) if o in named and o not in held]:
                    yield self.path / MORE, line, [fact_key(cells[1], cells[0], answer), cells[1], cells[0], answer]

    def _names(self, lang: str) -> dict[str, str]:
        """Labels by entity: ``Q38<TAB>"Italia"@it<TAB>...``."""
        end = f"@{lang}"
        own = ((cells[0], cell) for _, cells in _cells(self.path / NAMES) for cell in cells[1:] if cell.endswith(end))
        labels = ((uri, cell.removesuffix(end).strip('"')) for uri, cell in own)
        return {uri: label for uri, label in labels if label.strip()}

    def _aliases(self, lang: str) -> dict[str, list[str]] | None:
        """Names by entity, its label among them: ``Q38<TAB>Italia<TAB>...``; None where there is no file."""
        path = self.path / ALIASES / f"{lang}.txt"
        if not path.is_file():
            return None
        return {cells[0]: [name for name in cells[1:] if name.strip()] for _, cells in _cells(path)}


def _row(fact: str, relation: str, subject: str, answer: str, names: dict, aliases: dict | None) -> dict:
    ends = {"subject_uri": subject, "object_uri": answer, "subject": names[subject], "object": names[answer]}
    others = None if aliases is None else [name for name in aliases.get(answer, ()) if name != names[answer]]
    return {"fact": fact, "relation": relation, **ends, "aliases": others}


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a table without a head; none where there is no file. Lines end at line feeds only."""
    if not path.is_file():
        return
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            # Bytes that are not UTF-8 come through as lone surrogates, so that the fact that holds them is named.
            if cells := line.decode("utf-8", "surrogateescape").strip("\n\r ").split("\t"):
                yield number, cells
