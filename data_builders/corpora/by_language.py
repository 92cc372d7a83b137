"""The files of a source by language, told by their names: those of a folder, or a single file."""

from __future__ import annotations

import re
from pathlib import Path

from data_builders.errors import FactrootsError, unknown

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]+)*")


class ByLanguage:
    """A folder of ``<lang>`` + ``ending``, one file a language; or a single file, whose language has to be said.

    ``kind`` is what the source is called. Raises FactrootsError where there is nothing of it.
    """

    kind: str
    ending: str

    def __init__(self, path: Path):
        if not (path.is_file() or path.is_dir()):
            raise FactrootsError(f"{self.kind}:{path}: no such file or folder")
        self.path, self.single = path, path if path.is_file() else None
        self._files = self._found()
        if not (self._files or self.single):
            raise FactrootsError(f"{self.kind}:{path}: {self._lacking()}")

    def languages(self) -> list[str]:
        return sorted(self._files)

    def files(self, lang: str) -> list[Path]:
        if self.single:
            return [self.single]
        if lang not in self._files:
            raise unknown("language", lang, self._files)
        return self._files[lang]

    def _found(self) -> dict[str, list[Path]]:
        named = {p.name.removesuffix(self.ending): [p] for p in sorted(self.path.glob(f"*{self.ending}"))}
        # Beside the languages there may be a README.txt.
        return {lang: files for lang, files in named.items() if _LANGUAGE.fullmatch(lang)}

    def _lacking(self) -> str:
        return f"no language in it; expected {self.path}/<lang>{self.ending}"
