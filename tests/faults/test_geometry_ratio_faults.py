"""A sweep that is killed goes on where it was, to the same bytes; a folder has one writer."""

from __future__ import annotations

import os
import signal

import pytest
from sweep_fixtures import plan, tiny_fits

from data_builders.errors import FactrootsError
from data_builders.folder import lock
from data_builders.progress import Quiet
from probe.geometry import sweep as sweeping
from probe.geometry.plan import Swept, describe
from probe.geometry.ratio_results import results
from probe.geometry.sweep import sweep


class Dying(Quiet):
    """Kills its process when so many steps have been told."""

    def __init__(self, steps: int):
        super().__init__()
        self.left = steps

    def advance(self, number: int, before: bool = False) -> None:
        self.left -= number
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def claimed(folder, asked, fits, one) -> Swept:
    folder.mkdir()
    made = Swept(folder)
    made.claim(describe(asked, fits, one))
    return made


def test_killed_again_and_again(tmp_path, monkeypatch):
    one, fits = tiny_fits(tmp_path / "fits")
    monkeypatch.setattr(sweeping, "BATCH_TOKENS", 60)
    asked = plan(conditions=("own", "other", "random"))
    whole, part = (claimed(tmp_path / name, asked, fits, one) for name in ("whole", "part"))
    sweep(asked, fits, one, whole, Quiet())
    deaths = 0
    for steps in (0, 3, 7, 11, 12):
        pid = os.fork()
        if not pid:
            sweep(asked, fits, one, part, Dying(steps))
            os._exit(0)
        deaths += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert deaths == 5
    sweep(asked, fits, one, part, Quiet())
    for lang in asked.langs:
        assert part.rows(lang).read_bytes() == whole.rows(lang).read_bytes()


def test_a_folder_has_one_writer(tmp_path):
    one, fits = tiny_fits(tmp_path / "fits")
    with lock(tmp_path / "ratio"), pytest.raises(FactrootsError, match="is writing"):
        results(plan(), fits, one, str(tmp_path / "ratio"), True)


def test_a_broken_asked_json(tmp_path):
    one, fits = tiny_fits(tmp_path / "fits")
    (tmp_path / "ratio").mkdir()
    (tmp_path / "ratio" / "asked.json").write_text("{")
    with pytest.raises(FactrootsError, match="asked.json is not readable JSON"):
        results(plan(), fits, one, str(tmp_path / "ratio"), True)
