"""A run's folder: torn journals, locks, claims, and writes that fail."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_builders.errors import FactrootsError
from data_builders.folder import write_atomically, write_json
from probe.items import ITEMS
from probe.store import Store


def step(number: int) -> pa.RecordBatch:
    """What a step of a run leaves."""
    row = {"relation": "P36", "template": 0, "subject_uri": f"Q{number}", "subject": "日本" * number, "prompt": "x [Y]"}
    row |= {"facts": [f"f{number}"], "golds": [0], "known": [0], "given": None, "fault": None}
    return pa.RecordBatch.from_pylist([row | {"logprob": [0.5] * (number + 1), "argmax": [number]}], schema=ITEMS)


STEPS = [step(number) for number in range(6)]


def finished(store: Store) -> int:
    """Do what is left of the steps; returns how many had been done."""
    with store.journal("it") as (done, add):
        for number, batch in enumerate(STEPS):
            if number >= done:
                add(batch)
    return done


class Killed(BaseException):
    """Stands for whatever ends a process."""


def stopped(store: Store, after: int) -> Path:
    """The journal of a run that ended after so many steps."""
    with pytest.raises(Killed), store.journal("it") as (_, add):
        for batch in STEPS[:after]:
            add(batch)
        raise Killed
    return store.items("it").with_suffix(".part")


@pytest.fixture
def store(tmp_path) -> Store:
    (tmp_path / "run").mkdir()
    return Store(tmp_path / "run")


@pytest.fixture
def undisturbed(tmp_path) -> bytes:
    other = Store(tmp_path / "other")
    other.folder.mkdir()
    finished(other)
    assert sorted(p.name for p in other.folder.iterdir()) == ["items-it.parquet"]
    assert pq.read_table(other.items("it")).num_rows == len(STEPS)
    return other.items("it").read_bytes()


def test_journal_cut_off_anywhere(store, undisturbed):
    """Wherever a kill tears the journal, whole steps are kept, the others done anew, and the file is the same."""
    whole = stopped(store, 4).read_bytes()
    kept = []
    for size in range(0, len(whole), 7):
        store.items("it").unlink(missing_ok=True)
        store.items("it").with_suffix(".part").write_bytes(whole[:size])
        kept.append(finished(store))
        assert store.items("it").read_bytes() == undisturbed
        assert [p.name for p in store.folder.iterdir()] == ["items-it.parquet"]
    assert kept == sorted(kept) and set(kept) == {0, 1, 2, 3, 4}


def test_journal_with_rubbish_at_its_end(store, undisturbed):
    """Blocks that the system had not written yet (zeros, noise) are a torn tail too."""
    whole = stopped(store, 2).read_bytes()
    for tail in (b"\0" * 4096, b"\xff" * 100, b"\x7f" * 512, b"\xff\xff\xff\xff\x40\x00\x00\x00" + b"ab" * 99):
        store.items("it").unlink(missing_ok=True)
        store.items("it").with_suffix(".part").write_bytes(whole[:-8] + tail)
        assert finished(store) <= 2
        assert store.items("it").read_bytes() == undisturbed


@pytest.mark.parametrize("after", [0, 1, 6])
def test_interrupted_in_good_order(store, undisturbed, after):
    """A run that could close its journal goes on from there."""
    stopped(store, after)
    assert not store.items("it").exists()
    assert finished(store) == after
    assert store.items("it").read_bytes() == undisturbed


@pytest.mark.parametrize("sizes", [[1500], [1500, 1, 1500], [1000, 24, 1, 1023]])
def test_row_groups(store, sizes):
    """However large the steps, each row is kept once, in order, in groups that a reader can hold."""
    with store.journal("it") as (_, add):
        for number, size in enumerate(sizes):
            add(pa.Table.from_batches([step(number)] * size).combine_chunks().to_batches()[0])
    read = pq.ParquetFile(store.items("it"))
    expected = [f"Q{number}" for number, size in enumerate(sizes) for _ in range(size)]
    assert read.read()["subject_uri"].to_pylist() == expected
    groups = [read.metadata.row_group(i).num_rows for i in range(read.num_row_groups)]
    assert max(groups) <= max(1024, *sizes) and sum(groups) == sum(sizes)


def test_failed_write_leaves_nothing(tmp_path):
    """A file appears whole or not at all, and what stood there before stays."""
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        write_atomically(path, fail)
    with pytest.raises(ValueError, match="nan"):
        write_json(path, {"a": float("nan")})
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    assert json.loads(path.read_text()) == {"a": 1}


def test_claims(store):
    """A folder takes one run, again and again, and tells another what differs."""
    run = {"schema_version": 2, "facts": "atlas", "model": {"sha256": "a"}}
    store.claim(run)
    store.claim(run)
    with pytest.raises(FactrootsError, match=r"holds another run \(its facts, model differ\); choose another --output"):
        store.claim({"schema_version": 2, "facts": "mlama", "model": {"sha256": "b"}})


def test_claims_only_what_is_empty(store):
    """A folder with anything else in it is left alone; the remains of our own first write do not count."""
    (store.folder / ".run.json.part").write_text("{")
    store.claim({"a": 1})
    assert [p.name for p in store.folder.iterdir()] == ["run.json"]
    shutil.move(store.folder / "run.json", store.folder / "thesis.tex")
    with pytest.raises(FactrootsError, match="is not empty and holds no run; choose another --output"):
        store.claim({"a": 1})


def test_reading_what_is_no_run(store):
    """A folder without a run, or with a broken one, is named in one line."""
    with pytest.raises(FactrootsError, match=r"holds no run \(no run.json\)"):
        store.read()
    (store.folder / "run.json").write_text('{"a": ')
    with pytest.raises(FactrootsError, match="run.json is not readable JSON"):
        store.read()
    (store.folder / "run.json").write_text('{"schema_version": 1}')
    with pytest.raises(FactrootsError, match="made by another version of factroots; make it anew"):
        store.read()


def test_lock(store):
    """One process at a time; the second learns which the first is, and comes in when that is done."""
    busy = f"process {os.getpid()} is writing .*; wait for it, or choose --output"
    with store.lock(), pytest.raises(FactrootsError, match=busy), Store(store.folder).lock():
        pass
    with store.lock():
        pass
