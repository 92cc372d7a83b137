"""What several tests need: real data where there is some, and small fact sets made on the spot."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

# Tiny models need no threads, and no test a network.
os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def _shared(name: str) -> Path | None:
    given = os.environ.get("FACTROOTS_DATA")
    roots = [Path(given)] if given else [p / "shared" / "data" for p in Path(__file__).resolve().parents]
    return next((root / name for root in roots if (root / name).is_dir()), None)


@pytest.fixture(scope="session")
def shared_data():
    """A function from a data set's name to its folder; a test whose data is absent is skipped."""

    def find(name: str) -> Path:
        found = _shared(name)
        if found is None:
            pytest.skip(f"needs {name}: set FACTROOTS_DATA to a folder that holds it")
        return found

    return find


@pytest.fixture
def write_jsonl(tmp_path):
    """A function that writes rows (objects, or lines as they are) below the test's folder and returns the path."""

    def write(name: str, *rows: dict | str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
        path.write_text("".join(lines), encoding="utf-8")
        return path

    return write
