"""Sources of one file a language: a folder of ``<lang>`` + ending, or a single file."""

from __future__ import annotations

from pathlib import Path

from data_builders.errors import FactrootsError, unknown


class ByLanguage:
    """The files of a source by language, told by their names; `ending` is what comes after the language."""

    def __init__(self, kind: str, path: Path, ending: str):
        self.path = path
        if path.is_file():
            self._files, self.single = {}, path
            return
        if not path.is_dir():
            raise FactrootsError(f"{kind}:{path}: no such file or folder")
        self._files, self.single = {p.name.removesuffix(ending): p for p in sorted(path.glob(f"[!.]*{ending}"))}, None
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
