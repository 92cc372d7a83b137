"""The files of Wikipedia's dumps by language, told by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from data_builders.corpora.by_language import ByLanguage
from data_builders.errors import FactrootsError

_NAME = re.compile(
    r"(?P<lang>[a-z][a-z_]*)wiki-(?P<date>\w+)(?P<kind>-pages-articles|-abstract)"
    r"(?P<multi>-multistream)?(?P<part>\d*)\.xml(?:-p(?P<page>\d+)p\d+)?(?:\.bz2|\.gz)?"
)


class DumpFiles(ByLanguage):
    """A folder of dumps, or one file. A language may lie there whole or in numbered parts, but of one date only."""

    def _found(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for file in [self.single] if self.single else sorted(self.path.iterdir()):
            match = _NAME.fullmatch(file.name)
            if match and match["kind"] == self.ending:
                found[match["lang"].replace("_", "-")].append((match, file))
        return {lang: self._choose(lang, files) for lang, files in found.items()}

    def _lacking(self) -> str:
        return f"no dump in it; expected <lang>wiki-<date>{self.ending}.xml.bz2"

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
