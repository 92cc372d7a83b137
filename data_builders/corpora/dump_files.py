"""The files of Wikipedia's dumps by language, told by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from data_builders.errors import FactrootsError, unknown

_NAME = re.compile(
    r"(?P<lang>[a-z][a-z_]*)wiki-(?P<date>\w+)(?P<kind>-pages-articles|-abstract)"
    r"(?P<multi>-multistream)?(?P<part>\d*)\.xml(?:-p(?P<page>\d+)p\d+)?(?:\.bz2|\.gz)?"
)


class DumpFiles:
    """A folder of dumps, or one file. A language may lie there whole or in numbered parts, but of one date only."""

    kind: str
    ending: str

    def __init__(self, path: Path):
        self.path = path
        if not path.exists():
            raise FactrootsError(f"{self.kind}:{path}: no such file or folder")
        self._files: dict[str, list[Path]] = {}
        self.single = None if path.is_dir() else path
        found = defaultdict(list)
        for file in [path] if self.single else sorted(path.iterdir()):
            match = _NAME.fullmatch(file.name)
            if match and match["kind"] == self.ending:
                found[match["lang"].replace("_", "-")].append((match, file))
        for lang, files in found.items():
            self._files[lang] = self._choose(lang, files)
        if not (self._files or self.single):
            raise FactrootsError(f"{self.kind}:{path}: no dump in it; expected <lang>wiki-<date>{self.ending}.xml.bz2")

    def languages(self) -> list[str]:
        return sorted(self._files)

    def files(self, lang: str) -> list[Path]:
        if self.single:
            return [self.single]
        if lang not in self._files:
            raise unknown("language", lang, self._files)
        return self._files[lang]

    def _choose(self, lang: str, files: list[tuple[re.Match, Path]]) -> list[Path]:
        """One copy of everything: the whole rather than its parts, single streams rather than multistream."""
        if len(dates := sorted({match["date"] for match, _ in files})) > 1:
            raise FactrootsError(f"{self.kind}:{self.path} holds {lang} of {', '.join(dates)}; name one file")
        for parts, multi in ((False, False), (False, True), (True, False), (True, True)):
            kept = [(m, f) for m, f in files if bool(m["part"]) == parts and bool(m["multi"]) == multi]
            if kept:
                kept.sort(key=lambda pair: (int(pair[0]["part"] or 0), int(pair[0]["page"] or 0)))
                return [file for _, file in kept]
        raise AssertionError(files)
