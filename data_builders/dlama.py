"""DLAMA (Keleg and Magdy, Findings of ACL 2023): facts of three pairs of cultures, with every right answer listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import Template, fact_key, row_fault
from data_builders.jsonl import json_lines
from data_builders.rows import Layout, keep_good
from data_builders.templates import FILE, read_templates

FIELDS = {"subject_uri": "sub_uri", "object_uri": "obj_uri", "subject": "sub_label", "object": "obj_label"}
LAYOUT = Layout({"relation": "relation", **FIELDS}, ("fact",))
SPELLED = {"fact": "fact", **LAYOUT.fields}


class DLama:
    """``DIR/<lang>/<relation>_<domain>_<region>.jsonl``, as the folder ``dlama`` of each of the publisher's pairs.

    ``obj_uri`` and ``obj_label`` are parallel lists: each pair of a subject and an object is a fact, and ``--gold any``
    makes a subject's objects the right answers to one question. A pair that stands in files of several domains or
    regions is one fact. The publisher prompts with mLAMA's templates, which are read from
    ``DIR/<lang>/templates.jsonl`` where somebody has put them.
    """

    summary = "20 Wikidata relations for pairs of cultures, with lists of right answers; bring mLAMA's templates"
    licence = "none stated"
    needs_path = True

    def __init__(self, path: Path):
        self.path = path
        self._langs = sorted(d.name for d in path.iterdir() if d.name[0] != "." and next(d.glob("P*_*.jsonl"), None))
        if not self._langs:
            raise FactrootsError(f"dlama:{path}: no language in it; expected {path}/<lang>/<relation>_<...>.jsonl")

    def languages(self) -> list[str]:
        return self._langs

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        if lang not in self._langs:
            raise unknown("language", lang, self._langs)
        return keep_good(self._pairs(lang, problems), LAYOUT, problems)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        path = self.path / lang / FILE
        return read_templates(path, problems, lang, "human" if lang == "en" else "machine") if path.is_file() else []

    def _pairs(self, lang: str, problems: Problems) -> Iterator[tuple[Path, int, dict]]:
        """Every pair of a subject and an object, the first time that it stands there."""
        seen = set()
        for path in sorted((self.path / lang).glob("P*_*.jsonl")):
            relation = path.stem.partition("_")[0]
            for line, row in json_lines(path, problems):
                uris, labels = (_listed(row.get(name)) for name in ("obj_uri", "obj_label"))
                if len(uris) != len(labels) or not uris:
                    problems.add(path, line, f"has {len(uris)} obj_uri but {len(labels)} obj_label")
                    continue
                for uri, label in zip(uris, labels, strict=True):
                    key = fact_key(relation, row.get("sub_uri"), uri)
                    if key not in seen:
                        found = row | {"relation": relation, "fact": key, "obj_uri": uri, "obj_label": label}
                        if row_fault({ours: found.get(theirs) for ours, theirs in SPELLED.items()}) is None:
                            seen.add(key)  # a bad row does not stand for a good one that comes later
                        yield path, line, found


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]
