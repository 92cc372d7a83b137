"""Sources of one file a language: a folder of ``<lang>`` + ending, or a single file."""

from __future__ import annotations

import re
from pathlib import Path

from data_builders.errors import FactrootsError, unknown

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]+)*")


class ByLanguage:
    """The files of a source by language, told by their names; `ending` is what comes after the language."""

    def __init__(self, kind: str, path: Path, ending: str):
        self.path = path
        if path.is_file():
            self._files, self.single = {}, path
            return
        if not path.is_dir():
            raise FactrootsError(f"{kind}:{path}: no such file or folder")
        named = {p.name.removesuffix(ending): p for p in sorted(path.glob(f"*{ending}"))}
        # Beside the languages there may be a README.txt.
        self._files, self.single = {lang: p for lang, p in named.items() if _LANGUAGE.fullmatch(lang)}, None
        if not self._files:
            raise FactrootsError(f"{kind}:{path}: no language in it; expected {path}/<lang>{ending}")

    def languages(self) -> list[str]:
        return sorted(self._files)

    def files(self, lang: str) -> list[Path]:
        if self.single:
            return [self.single]
        if lang not in self._files:
            raise unknown("language", lang, self._files)
        return [self._files[lang]]
