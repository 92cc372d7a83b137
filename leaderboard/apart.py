"""A file that a stranger made is read by a process of its own first: a broken one may end whoever reads it."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_SECONDS = 600
_ROOT = Path(__file__).resolve().parent.parent


class _Reader:
    """The process that reads, started when it is first needed and again when a file has ended it."""

    def __init__(self):
        self._child: subprocess.Popen | None = None
        self._owner = 0

    def ask(self, path: Path) -> list[str]:
        child = self._running()
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps(str(path)).encode() + b"\n")
            child.stdin.flush()
        if not select.select([child.stdout], [], [], _SECONDS)[0]:
            child.kill()
        if line := child.stdout.readline():
            return json.loads(line)
        return [f"is no whole Parquet file: reading it ends the program that reads it (code {child.wait()})"]

    def _running(self) -> subprocess.Popen:
        """The process; a fork of this one has one of its own."""
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            # -P: no modules are found in the folder that this is started in, for a stranger may have made that, too.
            paths = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "leaderboard.parquet"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": paths},
            )
            self._owner = os.getpid()
            atexit.register(self._end, self._child)
        return self._child

    def _end(self, child: subprocess.Popen) -> None:
        if self._owner == os.getpid():
            child.stdin.close()
            child.wait()


_reader = _Reader()


def parquet_faults(path: Path) -> list[str]:
    """What is wrong with a per-item file (:func:`leaderboard.parquet.faults`), and if that cannot be told, that."""
    return _reader.ask(Path(path).absolute())
