"""Bottleneck adapters against the package `adapters` 1.3.0: its models, its folders, its logits.

The fixtures are made by tests/golden/make_adapters.py in an environment of its own; where FACTROOTS_ADAPTERS_PYTHON
names that environment's python, what is written here is read back there.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from probe_fixtures import wordpiece
from safetensors.torch import load_file

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.adapterhub import export_adapterhub, import_adapterhub
from fine_tuning.models import load
from fine_tuning.variants.applying import applied
from fine_tuning.variants.folder import read_variant

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = sorted(path.name for path in (GOLDEN / "adapters").iterdir())
PYTHON = os.environ.get("FACTROOTS_ADAPTERS_PYTHON")


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    """An architecture, and a folder with its base and every adapter as a variant of it."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(GOLDEN / "adapters" / request.param / "base", folder / "base")
    tokenizer = wordpiece(words=(), alphabet="abcdefghijklmnopq")
    tokenizer.bos_token = "[CLS]"
    tokenizer.save_pretrained(folder / "base")
    for path in (GOLDEN / "adapters" / request.param).iterdir():
        if (path / "adapter_config.json").is_file():
            import_adapterhub(path, str(folder / "base"), folder / path.name)
    return request.param, folder


def logits_of(spec, ids):
    with torch.no_grad():
        return load(str(spec)).model(input_ids=ids).logits


def test_logits_are_those_of_adapters(kind):
    name, folder = kind
    golden = load_file(GOLDEN / "adapters" / name / "logits.safetensors")
    ids, plain = golden.pop("ids"), golden.pop("plain")
    base = load(str(folder / "base"))
    for setup, expected in golden.items():
        variants = [(read_variant(folder / one), 1.0) for one in setup.split("+")]
        with torch.no_grad(), applied(base.model, variants):
            found = base.model(input_ids=ids).logits
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        assert (found - plain).abs().max() > 0.01
    with torch.no_grad():
        torch.testing.assert_close(base.model(input_ids=ids).logits, plain, atol=1e-5, rtol=1e-5)
    spec = "+".join(str(folder / part) for part in ("base", "other", "pfeiffer"))
    torch.testing.assert_close(logits_of(spec, ids), golden["other+pfeiffer"], atol=1e-5, rtol=1e-5)


def test_a_pickled_adapter_is_the_same(kind):
    _, folder = kind
    one, other = (load_file(folder / name / "adapter.safetensors") for name in ("pickled", "lang"))
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_what_is_written_is_what_was_read(kind, tmp_path):
    name, folder = kind
    for one in ("lang", "lesser", "other") if name == "albert" else ("lang", "lesser", "houlsby"):
        if name == "albert":
            with pytest.raises(FactrootsError, match="cannot be written"):
                export_adapterhub(read_variant(folder / one), tmp_path / one)
            continue
        export_adapterhub(read_variant(folder / one), tmp_path / one)
        there = GOLDEN / "adapters" / name / one
        ours, theirs = (load_file(path / "adapter.safetensors") for path in (tmp_path / one, there))
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
        ours, theirs = (json.loads((path / "adapter_config.json").read_text()) for path in (tmp_path / one, there))
        assert ours["config"] == theirs["config"]
        assert {key for key in theirs if ours[key] != theirs[key]} == {"model_class", "model_name"}


@pytest.mark.skipif(not PYTHON, reason="FACTROOTS_ADAPTERS_PYTHON names no python with the package adapters")
def test_adapters_reads_what_is_written(kind, tmp_path):
    name, folder = kind
    if name == "albert":
        pytest.skip("not written")
    for one in ("lang", "houlsby"):
        export_adapterhub(read_variant(folder / one), tmp_path / one)
    made = subprocess.run(
        [PYTHON, GOLDEN / "make_adapters.py", "check", folder / "base", tmp_path / "lang", tmp_path / "houlsby"],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(made.stdout.splitlines()[-1])
    spec = f"{folder / 'base'}+{folder / 'lang'}+{folder / 'houlsby'}"
    torch.testing.assert_close(
        torch.tensor(said["logits"]), logits_of(spec, torch.arange(3, 10)[None]), atol=1e-5, rtol=1e-5
    )
    assert said["missing"] == []
