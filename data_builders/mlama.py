"""mLAMA (Kassner, Dufter and Schütze, EACL 2021; arXiv 2102.00894) in its published layout."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from data_builders.errors import FactrootsError, Problems, unknown
from data_builders.facts import Template
from data_builders.rows import Layout, read_facts
from data_builders.templates import FILE, read_templates

LAYOUT = Layout(
    {"subject_uri": "sub_uri", "object_uri": "obj_uri", "subject": "sub_label", "object": "obj_label"}, ("uuid",)
)


class MLama:
    """``DIR/<lang>/<relation>.jsonl`` and ``DIR/<lang>/templates.jsonl``; the key of a fact is its uuid."""

    summary = "41 T-REx and 2 Google-RE relations in 53 languages, or any set in mLAMA's layout"
    licence = "CC BY-NC 4.0"
    needs_path = True

    def __init__(self, path: Path):
        self.path = path
        # Hidden folders (notebooks leave .ipynb_checkpoints behind) are no languages.
        self._langs = sorted(d.name for d in path.iterdir() if d.name[0] != "." and next(d.glob("*.jsonl"), None))
        if not self._langs:
            raise FactrootsError(f"mlama:{path}: no language in it; expected {path}/<lang>/<relation>.jsonl")

    def languages(self) -> list[str]:
        return self._langs

    def facts(self, lang: str, problems: Problems) -> pa.Table:
        """Facts in the order of the relations' names, then of their files."""
        files = sorted(p for p in self._folder(lang).glob("*.jsonl") if p.name != FILE and p.name[0] != ".")
        return read_facts(files, LAYOUT, problems)

    def templates(self, lang: str, problems: Problems) -> list[Template]:
        """English is LAMA's own, the others were made by Google Translate; a row may say otherwise in "made"."""
        return read_templates(self._folder(lang) / FILE, problems, lang, "human" if lang == "en" else "machine")

    def _folder(self, lang: str) -> Path:
        if lang not in self._langs:
            raise unknown("language", lang, self._langs)
        return self.path / lang
