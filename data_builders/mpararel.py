"""mParaRel (Fierro and Søgaard, Findings of ACL 2022): several ways to ask for each relation, in 46 languages."""

from __future__ import annotations

from pathlib import Path

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import Template, template_fault
from data_builders.jsonl import json_lines

#: Our languages whose folder is called otherwise.
FOLDERS = {"zh": "zh-hans"}


def paraphrases(directory: str | Path, lang: str, problems: Problems) -> list[Template]:
    """All patterns of ``DIR/<lang>/<relation>.jsonl`` as templates, in the order of the relations and of their files.

    They have no facts: they join any fact set on the relation. Bad patterns go to `problems`.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise FactrootsError(f"mpararel:{directory}: no such folder")
    known = sorted(d.name for d in directory.iterdir() if d.is_dir() and d.name[0] != ".")
    folder = FOLDERS.get(lang, lang) if lang not in known else lang
    if folder not in known:
        raise unknown("mParaRel language", lang, known)
    return [t for path in sorted((directory / folder).glob("*.jsonl")) for t in _read(path, lang, problems)]


def _read(path: Path, lang: str, problems: Problems):
    for line, row in json_lines(path, problems):
        pattern, checked = row.get("pattern"), row.get("checked-by-human")
        if not isinstance(pattern, str):
            problems.add(path, line, "has no pattern")
        elif fault := template_fault(pattern):
            problems.add(path, line, fault)
        else:
            yield Template(path.stem, lang, pattern, "human-checked" if checked is True else "machine")
