"""A fit that is killed goes on where it was, and ends with the same bytes; a full disk is one line."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from geometry_fixtures import text, tiny
from probe_fixtures import save_model
from test_interruption import files, small_disk  # noqa: F401 - a fixture
from ticking import tick

from data_builders.errors import FactrootsError
from probe.commands.geometry.group import geometry
from probe.geometry import fitting
from probe.geometry.body import Body


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> list[str]:
    """The command, but for its --output: a tiny model, two languages, several batches in each part."""
    folder = tmp_path_factory.mktemp("geometry")
    one = tiny("bert")
    model = save_model(folder / "model", one.model, one.tokenizer)
    where = text(folder / "text")
    sizes = ["--length", "24", "--sequences", "12", "--test", "4", "--quiet"]
    return ["fit", "--model", str(model), "--text", str(where), *sizes]


def run(words: list[str], output: Path, prepare: Callable[[], None] = lambda: None) -> int:
    """The command in a forked child, which keeps its state after every batch: how it ended."""
    pid = os.fork()
    if not pid:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            fitting.TOKENS, fitting._SECONDS, fitting._TIMES = 24 * 5, 0, 0
            prepare()
            geometry([*words, "--output", str(output)], standalone_mode=False)
        except BaseException:
            os._exit(70)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def ticking(act: Callable[[int], None]) -> Callable[[], None]:
    """Have `act` called, with how often it was, before and after everything that a fit does to its folder or model."""
    return partial(tick, act, [(Body, ["states"]), (Path, ["replace", "unlink", "write_bytes", "write_text"])])


def killed_at(tick: int) -> Callable[[], None]:
    return ticking(lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == tick else None)


@pytest.fixture(scope="module")
def undisturbed(words, tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed") / "fits"
    assert run(words, folder) == 0
    kinds = ("moments", "sequences")
    assert {*files(folder)} == {"fits.json", *(f"{kind}-{x}.safetensors" for kind in kinds for x in ("it", "ja"))}
    return files(folder)


def appended(path: Path) -> Callable[[int], None]:
    def act(_: int) -> None:
        with open(path, "a") as file:
            file.write(".")

    return act


def test_killed_anywhere(words, undisturbed, tmp_path):
    """After a kill at any moment, and another while it goes on, the same command ends with the undisturbed bytes."""
    count = tmp_path / "count"
    assert run(words, tmp_path / "counted", ticking(appended(count))) == 0
    ticks, draw = count.stat().st_size, random.Random(0)
    assert ticks > 60
    for first in sorted(draw.sample(range(ticks), 8)):
        folder = tmp_path / f"{first}"
        assert run(words, folder, killed_at(first)) == -signal.SIGKILL
        if first % 2:
            assert run(words, folder, killed_at(draw.randrange(ticks))) in (0, -signal.SIGKILL)
        assert (run(words, folder), files(folder)) == (0, undisturbed), first


def test_a_kill_loses_a_batch_at_most(words, undisturbed, tmp_path):
    """Where the state was kept after each: the second run reads only what the first had not."""
    count = tmp_path / "read"

    def reading(stop: int | None) -> Callable[[], None]:
        def prepare() -> None:
            plain = Body.states

            def states(self, *args):
                appended(count)(0)
                if count.stat().st_size == stop:
                    os.kill(os.getpid(), signal.SIGKILL)
                return plain(self, *args)

            Body.states = states

        return prepare

    assert run(words, tmp_path / "whole", reading(None)) == 0
    every = count.stat().st_size
    assert every == 2 * 2 * 3  # languages, parts, batches
    count.unlink()
    assert run(words, tmp_path / "fits", reading(8)) == -signal.SIGKILL
    assert run(words, tmp_path / "fits", reading(None)) == 0
    assert count.stat().st_size == every + 1
    assert files(tmp_path / "fits") == undisturbed


def test_a_full_disk(words, undisturbed, small_disk, monkeypatch):  # noqa: F811
    """It is an error that the command line tells in one line; with more room the same command goes on."""
    monkeypatch.setattr(fitting, "TOKENS", 24 * 5)
    folder = small_disk(6 * 4096) / "fits"
    with pytest.raises(OSError, match="No space left on device"):
        geometry([*words, "--output", str(folder)], standalone_mode=False)
    small_disk(64 * 2**20)
    assert (run(words, folder), files(folder)) == (0, undisturbed)


def test_a_journal_that_was_changed(words, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "TOKENS", 24 * 5)
    folder = tmp_path / "fits"
    assert run(words, folder, killed_at(30)) == -signal.SIGKILL
    (journal,) = folder.glob(".moments-*.journal")
    journal.write_bytes(b"torn")
    with pytest.raises(FactrootsError, match="journal cannot be read .* remove it and repeat its command"):
        geometry([*words, "--output", str(folder)], standalone_mode=False)
    journal.unlink()
    assert (run(words, folder), files(folder)) == (0, undisturbed)
