"""How far a build is: a line a language, and one every ten seconds."""

from __future__ import annotations

import sys
import time


class Silent:
    """Says nothing."""

    def start(self, lang: str, total: int) -> None:
        """A language begins."""

    def advance(self, number: int) -> None:
        """So many of its documents are done."""


class Lines(Silent):
    """Lines on standard error; how many documents there will be is not known."""

    def start(self, lang: str, total: int) -> None:
        self.lang, self.done, self.said = lang, 0, time.monotonic()
        print(f"{lang} …", file=sys.stderr, flush=True)

    def advance(self, number: int) -> None:
        self.done += number
        if time.monotonic() - self.said > 10:
            print(f"{self.lang}: {self.done:,} documents", file=sys.stderr, flush=True)
            self.said = time.monotonic()
