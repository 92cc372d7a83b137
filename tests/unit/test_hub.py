"""Models from a hub that is played here: what came is checked against what the hub lists."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from data_builders.errors import FactrootsError
from fine_tuning.hub import fetch_model
from fine_tuning.model_spec import ModelSpec

WEIGHTS = b"weights"


class Hub:
    """A hub with one model, whose cache is a folder; `listed` is the checksum that it gives for the weights."""

    def __init__(self, folder, listed: str):
        self.folder, self.listed, self.asked = folder, listed, 0

    def snapshot_download(self, repo_id, revision, allow_patterns, local_files_only=False):
        if local_files_only and not self.folder.exists():
            raise LocalEntryNotFoundError("nothing here")
        if not local_files_only:
            self.folder.mkdir(exist_ok=True)
            (self.folder / "model.safetensors").write_bytes(WEIGHTS)
        return str(self.folder)

    def model_info(self, repo_id, revision, files_metadata):
        self.asked += 1
        lfs = SimpleNamespace(sha256=self.listed)
        files = [SimpleNamespace(rfilename="model.safetensors", lfs=lfs), SimpleNamespace(rfilename="a.json", lfs=None)]
        return SimpleNamespace(siblings=files)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path / "commit", hashlib.sha256(WEIGHTS).hexdigest())
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    return hub


def test_good_weights_are_checked_once(hub):
    """A download is checked; what was in the cache before was checked when it came."""
    assert fetch_model(ModelSpec("xlmr")) == hub.folder
    assert fetch_model(ModelSpec("xlmr")) == hub.folder
    assert hub.asked == 1


def test_damaged_weights_are_thrown_away(hub):
    hub.listed = "0" * 64
    with pytest.raises(FactrootsError, match=r"model.safetensors has SHA-256 .*, the hub lists 0000"):
        fetch_model(ModelSpec("org/name"))
    assert not (hub.folder / "model.safetensors").exists()


def test_no_hub_and_no_cache(tmp_path, monkeypatch):
    def unreachable(**_):
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(FactrootsError, match=r"--model /path/to/xlm-roberta-base, or try --model demo"):
        fetch_model(ModelSpec("xlmr"))
