"""How far a long work is: a live bar on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

from __future__ import annotations

import sys
import time


class Quiet:
    """Says nothing. `what` is being counted; a total of 0 is not known."""

    def __init__(self, what: str = "facts"):
        self.what = what

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def start(self, lang: str, total: int) -> None:
        """A language begins."""

    def advance(self, number: int, before: bool = False) -> None:
        """So many more are done; `before`, by an earlier run, which says nothing about the time that is left."""


class Lines(Quiet):
    """A line a language, and one every ten seconds."""

    def start(self, lang: str, total: int) -> None:
        self.lang, self.total, self.done, self.before = lang, total, 0, 0
        self.began = self.said = time.monotonic()
        print(f"{lang}: {total:,} {self.what}" if total else f"{lang} …", file=sys.stderr, flush=True)

    def advance(self, number: int, before: bool = False) -> None:
        self.done += number
        self.before += number * before
        now, own = time.monotonic(), self.done - self.before
        if now - self.said > 10 and own:
            left = (now - self.began) * (self.total - self.done) / own
            how_far = f"of {self.total:,}, {left:.0f} s left" if self.total else self.what
            print(f"{self.lang}: {self.done:,} {how_far}", file=sys.stderr, flush=True)
            self.said = now


class Bar(Quiet):
    """A bar a language, with the time left."""

    def __enter__(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def start(self, lang: str, total: int) -> None:
        self.task = self.bar.add_task(f"{lang}, {self.what}", total=total or None)

    def advance(self, number: int, before: bool = False) -> None:
        if before:
            self.bar.reset(self.task, completed=self.bar.tasks[self.task].completed + number)
        else:
            self.bar.advance(self.task, number)


def progress(quiet: bool, what: str = "facts") -> Quiet:
    """The form that suits where standard error goes."""
    return Quiet(what) if quiet else Bar(what) if sys.stderr.isatty() else Lines(what)
