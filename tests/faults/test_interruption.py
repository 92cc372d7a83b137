"""A run that is killed, interrupted, crowded or starved of disk goes on where it was, and ends with the same bytes.

Commands run in forked children, which have their own memory and their own death, without loading torch anew.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from probe_fixtures import save_model, small_world, tiny_model, wordpiece
from ticking import tick

from probe import provenance, running
from probe.cli import main
from probe.scoring.masked import MaskedScorer
from probe.store import Store


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> list[str]:
    """The command, but for its --output: a tiny model, two languages, several steps in each."""
    folder = tmp_path_factory.mktemp("interruption")
    tokenizer = wordpiece()
    model = save_model(folder / "model", tiny_model("bert", tokenizer), tokenizer)
    provenance.code()  # asked of git once, so that a commit made meanwhile changes no record
    return ["run", "--model", str(model), "--factset", small_world(folder / "facts"), "--quiet"]


class Child:
    """The command line in a forked child, with `prepare` called in it first."""

    def __init__(self, words: list[str], output: Path, prepare: Callable[[], None] = lambda: None):
        self.log = Path(tempfile.mkdtemp()) / "log"
        self.pid = os.fork()
        if not self.pid:
            self._run([*words, "--output", str(output)], prepare)

    def _run(self, words: list[str], prepare: Callable[[], None]) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever began the tests in the background ignores it
        try:
            with open(self.log, "w") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - until the child ends
            running.batches = partial(running.batches, tokens=100)
            prepare()
            main(words)
        except SystemExit as end:
            os._exit(end.code or 0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(70)

    def wait(self) -> tuple[int, str]:
        """How it ended (a signal's number is negative) and what it said."""
        status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(status), self.log.read_text()


def run(words: list[str], output: Path, prepare: Callable[[], None] = lambda: None) -> tuple[int, str]:
    return Child(words, output, prepare).wait()


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a run's folder but what tells of one process."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name not in ("timing.json", ".lock")}


@pytest.fixture(scope="module")
def undisturbed(words, tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    code, said = run(words, folder)
    assert code == 0, said
    expected = {"run.json", "kassner2021.json"} | {
        f"{kind}-{x}.parquet" for kind in ("items", "candidates") for x in ("it", "ja")
    }
    assert set(files(folder)) == expected
    rows = [pq.read_table(folder / f"items-{lang}.parquet", columns=["facts"]) for lang in ("it", "ja")]
    assert [sum(len(facts) > 0 for facts in table["facts"].to_pylist()) for table in rows] == [24, 24]
    return files(folder)


def ticking(act: Callable[[int], None]) -> Callable[[], None]:
    """Have `act` called, with how often it was, before and after everything that a run does to its folder or model."""
    own = (MaskedScorer, ["score"]), (Path, ["replace", "write_text", "unlink"]), (pq.ParquetWriter, ["write_table"])
    return partial(tick, act, own)


def killed_at(tick: int) -> Callable[[], None]:
    return ticking(lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == tick else None)


@pytest.fixture(scope="module")
def ticks(words, tmp_path_factory) -> int:
    """How many moments there are to be killed at."""
    path = tmp_path_factory.mktemp("ticks") / "count"

    def act(count: int) -> None:
        with open(path, "a") as file:
            file.write(".")

    code, said = run(words, path.with_name("run"), ticking(act))
    assert code == 0, said
    return path.stat().st_size


def test_killed_anywhere(words, undisturbed, ticks, tmp_path):
    """After a kill at any moment, and another while it goes on, the same command ends with the undisturbed bytes."""
    assert ticks > 40
    draw = random.Random(0)
    for first in sorted(draw.sample(range(ticks), 10)):
        folder = tmp_path / f"{first}"
        assert run(words, folder, killed_at(first))[0] == -signal.SIGKILL
        if first % 2:
            assert run(words, folder, killed_at(draw.randrange(ticks)))[0] in (0, -signal.SIGKILL)
        code, said = run(words, folder)
        assert (code, files(folder)) == (0, undisturbed), (first, said)


def test_a_kill_loses_a_batch_at_most(words, ticks, tmp_path):
    """The second run scores only what the first had not: no batch that was written is scored again."""
    counted = tmp_path / "scored"

    def counting(stop: int | None) -> Callable[[], None]:
        def prepare() -> None:
            plain = MaskedScorer.score

            def score(self, *args):
                with open(counted, "a") as file:
                    file.write("x")
                if counted.stat().st_size == stop:
                    os.kill(os.getpid(), signal.SIGKILL)
                return plain(self, *args)

            MaskedScorer.score = score

        return prepare

    assert run(words, tmp_path / "whole", counting(None))[0] == 0
    every = counted.stat().st_size
    counted.unlink()
    stop = every * 2 // 3
    assert run(words, tmp_path / "run", counting(stop))[0] == -signal.SIGKILL
    assert run(words, tmp_path / "run", counting(None))[0] == 0
    assert counted.stat().st_size == every + 1  # the one in whose midst it was killed


def test_a_finished_run_is_not_run_again(words, undisturbed, tmp_path):
    """The same command on a finished run asks the model nothing, and leaves the same bytes."""
    assert run(words, tmp_path / "run")[0] == 0

    def fail(*_):
        raise AssertionError("scored again")

    code, said = run(words, tmp_path / "run", lambda: setattr(MaskedScorer, "score", fail))
    assert (code, files(tmp_path / "run")) == (0, undisturbed), said


def slowly() -> None:
    plain = MaskedScorer.score

    def score(self, *args):
        time.sleep(0.2)
        return plain(self, *args)

    MaskedScorer.score = score


def when(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError


def test_interrupted_by_the_user(words, undisturbed, tmp_path):
    """Ctrl-C ends with one line that says how to go on, and 130; the same command does go on."""
    child = Child(words, tmp_path / "run", slowly)
    when((tmp_path / "run" / "items-it.part").exists)
    os.kill(child.pid, signal.SIGINT)
    code, said = child.wait()
    assert code == 130
    assert said == "Error: interrupted; what is finished is kept, and the same command goes on from there\n"
    assert run(words, tmp_path / "run")[0] == 0
    assert files(tmp_path / "run") == undisturbed


def test_two_processes_on_one_run(words, undisturbed, tmp_path):
    """The second is told in one line who is at work; the first is not disturbed."""
    first = Child(words, tmp_path / "run", slowly)
    when(lambda: (tmp_path / "run" / ".lock").exists() and (tmp_path / "run" / ".lock").read_text() != "")
    code, said = run(words, tmp_path / "run")
    assert code == 2
    assert said == f"Error: process {first.pid} is writing {tmp_path / 'run'}; wait for it, or choose --output\n"
    assert first.wait()[0] == 0
    assert files(tmp_path / "run") == undisturbed


def test_a_folder_of_another_model(words, undisturbed, tmp_path):
    """Results of another model are neither mixed with nor written over."""
    assert run(words, tmp_path / "run")[0] == 0
    tokenizer = wordpiece()
    other = save_model(tmp_path / "other", tiny_model("bert", tokenizer, seed=5), tokenizer)
    code, said = run([words[0], "--model", str(other), *words[3:]], tmp_path / "run")
    assert code == 2
    assert said == f"Error: {tmp_path / 'run'} holds another run (its model differ); choose another --output\n"
    assert files(tmp_path / "run") == undisturbed


def test_a_folder_of_something_else(words, tmp_path):
    """A folder with other things in it is left as it is."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine")
    code, said = run(words, tmp_path / "run")
    assert code == 2 and said.count("\n") == 1 and "is not empty and holds no run" in said
    assert files(tmp_path / "run") == {"thesis.tex": b"mine"}


def test_an_unfinished_run_has_no_score(words, tmp_path):
    """`probe score` of a run that is not finished says which languages are missing."""
    assert run(words, tmp_path / "run", killed_at(8))[0] == -signal.SIGKILL
    scoring = Store(tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-c", "from probe.cli import main; main()", "score", str(scoring.folder)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is not finished (it, ja to go); repeat its `probe run`" in done.stderr


@pytest.fixture
def small_disk(tmp_path):
    """A function that gives a folder a disk of so many bytes (again: another size)."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def resize(size: int) -> Path:
        mounted = os.path.ismount(folder)
        how = ["-o", f"{'remount,' if mounted else ''}size={size}", *([] if mounted else ["-t", "tmpfs", "tmpfs"])]
        done = subprocess.run(["mount", *how, str(folder)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"needs to mount a tmpfs: {done.stderr.strip()}")
        return folder

    yield resize
    if os.path.ismount(folder):
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="a tmpfs is Linux's")
@pytest.mark.parametrize("pages", [1, 2, 4, 6, 8])
def test_full_disk(words, undisturbed, small_disk, pages):
    """A full disk ends with one line that names it; with more room the same command goes on to the same bytes."""
    folder = small_disk(pages * 4096) / "run"
    code, said = run(words, folder)
    if code:
        assert code == 2 and said.count("\n") == 1, said
        assert said.startswith("Error: No space left on device")
        for path in folder.glob("*.parquet"):
            pq.read_table(path)  # whole
    small_disk(64 * 2**20)
    code, said = run(words, folder)
    assert code == 0, said
    assert files(folder) == undisturbed


def test_files_limited_in_size(words, undisturbed, tmp_path):
    """The same where the system limits the size of files."""
    import resource

    code, said = run(words, tmp_path / "run", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    assert code == 2 and said.count("\n") == 1 and said.startswith("Error: File too large"), said
    assert run(words, tmp_path / "run")[0] == 0
    assert files(tmp_path / "run") == undisturbed


def test_a_folder_that_cannot_be_written(words, tmp_path):
    """An output below a file is one line."""
    (tmp_path / "file").write_text("")
    code, said = run(words, tmp_path / "file" / "run")
    assert code == 2 and said.count("\n") == 1 and "Traceback" not in said, said
