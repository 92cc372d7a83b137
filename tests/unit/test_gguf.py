"""GGUF files: converted once through the same door as every model, whole or not at all, and what goes wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf_fixtures import NAMES, byte_level, interleaved, llama, tokens, turned, unpacked, write_gguf

from data_builders.errors import FactrootsError
from data_builders.sources import home
from fine_tuning import gguf as ours
from fine_tuning.gguf_header import read_header
from fine_tuning.locating import locate
from fine_tuning.models import load, load_masked
from fine_tuning.packages import PACKAGED, Packaged

gguf = pytest.importorskip("gguf", reason="needs the extra: pip install 'factroots[models]'")
pytest.importorskip("accelerate", reason="needs the extra: pip install 'factroots[models]'")

IDS = torch.tensor([[5, 80, 257, 33, 261], [9, 9, 70, 3, 258]])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Where conversions of this test go."""
    monkeypatch.setenv("FACTROOTS_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@torch.inference_mode()
def logits(model) -> torch.Tensor:
    return model(input_ids=IDS).logits


@pytest.mark.parametrize("tied", [True, False])
def test_the_model_comes_out_as_it_was_written(tmp_path, tied):
    """Float32 through the file and back is the same model to the bit, with a head of its own or without."""
    model = llama(tied)
    loaded = load(str(write_gguf(tmp_path / "tiny.gguf", model)))
    assert torch.equal(logits(loaded.model), logits(model))
    assert (loaded.family, loaded.quantization, loaded.dtype) == ("causal", None, "float32")
    assert loaded.revision == hashlib.sha256((tmp_path / "tiny.gguf").read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_1"])
def test_quantised_weights_are_what_the_blocks_say(tmp_path, kind):
    """Against blocks that are unpacked here weight by weight; the unquantised model is told apart."""
    model = llama()
    path = write_gguf(tmp_path / "tiny.gguf", model, kind)
    found = {tensor.name.removesuffix(".weight"): tensor for tensor in gguf.GGUFReader(path).tensors}
    exact = logits(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            tensor = found[NAMES[name.removesuffix(".weight")]]
            if parameter.ndim == 2:
                weights = unpacked(tensor.data, kind)
                if heads := turned(
                    tensor.name.removesuffix(".weight")
                ):  # back into the order of the model: where each of its rows went
                    weights = weights[np.argsort(interleaved(np.arange(len(weights)), heads))]
                parameter.copy_(torch.tensor(weights))
    loaded = load(str(path))
    torch.testing.assert_close(logits(loaded.model), logits(model), rtol=0, atol=2e-6)
    assert (exact - logits(model)).abs().max() > 1e-3
    assert loaded.quantization == kind


def test_its_tokenizer_is_the_files(tmp_path):
    """The same ids as the same vocabulary gives by itself, with the first token that the file asks for."""
    tokenizer = load(str(write_gguf(tmp_path / "tiny.gguf", llama()))).tokenizer
    for text in ("Roma is the capital", "東京 the\n", "the Roma  é", ""):
        assert tokenizer(text)["input_ids"] == [len(tokens()) - 2, *byte_level().encode(text).ids]
    assert tokenizer.convert_tokens_to_ids(["<s>", "</s>"]) == [tokenizer.bos_token_id, tokenizer.eos_token_id]


def test_converted_once(tmp_path, cache, monkeypatch, capsys):
    """The second time nothing is converted, nor is the extra needed; the content is known by its checksum alone."""
    path = write_gguf(tmp_path / "tiny.gguf", llama())
    locate(str(path))
    assert capsys.readouterr().err.count("\n") == 1
    first = load(str(path))
    monkeypatch.setattr(ours, "_convert", None)
    monkeypatch.setattr(ours, "find_spec", lambda name: None)
    capsys.readouterr()
    again = load(locate(str(path)))
    assert again.sha256 == first.sha256 and torch.equal(logits(again.model), logits(first.model))
    assert "converting" not in capsys.readouterr().err
    assert sorted(p.name for p in cache.iterdir() if p.is_dir()) == [f"tiny-{first.revision[:8]}"]
    elsewhere = shutil.copy(path, tmp_path / "other.gguf")
    monkeypatch.undo()
    monkeypatch.setenv("FACTROOTS_HOME", str(tmp_path / "elsewhere"))
    assert load(str(elsewhere)).sha256 == first.sha256  # no path, name or time of this machine is in the folder


def test_other_content_is_another_model(tmp_path):
    """A file that is written anew under its old name is not taken for the old one."""
    path = write_gguf(tmp_path / "tiny.gguf", model := llama())
    before = load(str(path))
    with torch.no_grad():
        model.model.embed_tokens.weight[5] += 1
    after = load(str(write_gguf(path, model)))
    assert after.revision != before.revision and not torch.equal(logits(after.model), logits(before.model))


def test_neighbours_are_not_read(tmp_path):
    """A config beside the file is not taken for its own."""
    path = write_gguf(tmp_path / "tiny.gguf", model := llama())
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json", "adapter_config.json"):
        (tmp_path / name).write_text('{"model_type": "bert", "auto_map": {"AutoConfig": "evil.Config"}}')
    assert torch.equal(logits(load(str(path)).model), logits(model))


def refused(text: str, *parts: str) -> None:
    """Loading fails with one line that holds all of `parts`, and leaves no folder behind."""
    with pytest.raises(FactrootsError) as caught:
        load(text)
    line = str(caught.value)
    assert "\n" not in line and all(part in line for part in parts), line
    assert not [p for p in home("models").glob("*") if p.is_dir()]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "empty"),
        (b"PK\3\4" + bytes(100), "does not begin with GGUF"),
        (b"GGUF\1\0\0\0" + bytes(100), "version 1, expected 2 or 3"),
        (b"GGUF\0\0\0\3" + bytes(100), "version 50331648"),  # the other byte order
        (b"GGUF\3\0\0\0" + b"\xff" * 100, "fetch or make it again"),
        (b"GGUF\3\0\0\0" + bytes(16), "general.architecture"),
    ],
)
def test_no_gguf_file(tmp_path, content, part):
    (tmp_path / "x.gguf").write_bytes(content)
    refused(str(tmp_path / "x.gguf"), "x.gguf", part)


def test_cut_off_anywhere(tmp_path):
    """A file that lacks its end, or more, is refused from the header alone."""
    whole = write_gguf(tmp_path / "tiny.gguf", llama(), "Q8_0").read_bytes()
    header = read_header(tmp_path / "tiny.gguf", "tiny")
    assert len(whole) - 32 < header.size <= len(whole)  # padding to a multiple of 32 may follow the last tensor
    path = tmp_path / "cut.gguf"
    for keep in [*range(0, header.size, 97), header.size - 1]:
        path.write_bytes(whole[:keep])
        with pytest.raises(FactrootsError, match="cut.gguf"):
            read_header(path, str(path))
    refused(str(path), f"cut off: it has {header.size - 1:,} of {header.size:,} bytes", "fetch it again")


def test_header_against_the_package(tmp_path):
    """Names, types and offsets as the `gguf` package reads them."""
    path = write_gguf(tmp_path / "tiny.gguf", llama(), "Q4_1")
    reader, header = gguf.GGUFReader(path), read_header(path, "tiny")
    assert [(t.name, t.weights, t.kind) for t in header.tensors] == [
        (t.name, t.n_elements, t.tensor_type) for t in reader.tensors
    ]
    assert header.size == max(t.data_offset + t.n_bytes for t in reader.tensors)
    assert header.about["general.file_type"] == reader.get_field("general.file_type").contents()
    assert header.about["tokenizer.ggml.tokens"] == len(tokens())


@pytest.mark.parametrize(
    ("kind", "name"), [(7, "Q8_0"), (15, "Q4_K_M"), (0, None), (999, "F32+Q8_0"), (None, "F32+Q8_0")]
)
def test_quantization_by_name(tmp_path, kind, name):
    """llama.cpp's name for the mixture; without one, the types that are in it."""
    header = read_header(write_gguf(tmp_path / "tiny.gguf", llama(), "Q8_0"), "tiny")
    about = header.about | ({} if kind is None else {"general.file_type": kind})
    if kind is None:
        del about["general.file_type"]
    assert header._replace(about=about).quantization == name


def test_what_cannot_be_converted(tmp_path):
    """An architecture that is not known, a tensor that is not there, one that would be passed over."""
    refused(str(write_gguf(tmp_path / "a.gguf", llama(), architecture="brandnew")), "a.gguf", "brandnew", "safetensors")
    refused(
        str(write_gguf(tmp_path / "b.gguf", llama(), without="blk.1.ffn_up")),
        "b.gguf",
        "1 tensors are missing",
        "up_proj",
    )
    path = write_gguf(tmp_path / "c.gguf", llama(), rope_freqs=np.ones(8, np.float32))
    refused(str(path), "c.gguf", "rope_freqs", "safetensors")


def test_without_the_extra(tmp_path, monkeypatch):
    path = write_gguf(tmp_path / "tiny.gguf", llama())
    monkeypatch.setattr(ours, "find_spec", lambda name: None)
    refused(str(path), "tiny.gguf", "pip install 'factroots[models]'")


def test_no_room(tmp_path, monkeypatch):
    path = write_gguf(tmp_path / "tiny.gguf", llama())
    monkeypatch.setattr(ours.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 0))
    refused(str(path), "0.0 GB", "FACTROOTS_HOME")


def test_no_place_to_write(tmp_path, monkeypatch):
    path = write_gguf(tmp_path / "tiny.gguf", llama())
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FACTROOTS_HOME", str(tmp_path / "file"))
    refused(str(path), str(tmp_path / "file"), "set FACTROOTS_HOME")


def test_other_mistakes(tmp_path):
    refused(str(tmp_path / "none.gguf"), "none.gguf", "no such file")
    refused("none.gguf", "none.gguf", "no such file")
    (tmp_path / "model.safetensors").write_bytes(b"x")
    refused(str(tmp_path / "model.safetensors"), "is a file", "*.gguf")
    folder = tmp_path / "folder"
    folder.mkdir()
    write_gguf(folder / "tiny.gguf", llama())
    refused(str(folder), f"--model {folder / 'tiny.gguf'}")
    with pytest.raises(FactrootsError, match="is a llama, which has no masked-LM head"):
        load_masked(str(folder / "tiny.gguf"))


@pytest.fixture
def packaged(tmp_path, monkeypatch) -> Packaged:
    """A model in two parts in two packages, which fail when they are imported."""
    whole = write_gguf(tmp_path / "tiny.gguf", llama(), "Q8_0").read_bytes()
    for name, part in (("tiny_one", whole[:5000]), ("tiny_two", whole[5000:])):
        (tmp_path / "site" / name / "data").mkdir(parents=True)
        (tmp_path / "site" / name / "__init__.py").write_text("raise SystemExit('imported')")
        (tmp_path / "site" / name / "data" / "part").write_bytes(part)
    (tmp_path / "site" / "tiny_one" / "TERMS.html").write_text("the terms")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    entry = Packaged(
        ("tiny_one/data/part", "tiny_two/data/part"),
        hashlib.sha256(whole).hexdigest(),
        "pip install tiny",
        "tiny_one/TERMS.html",
        "Tiny is free",
    )
    monkeypatch.setitem(PACKAGED, "tiny-model", entry)
    return entry


def test_a_model_in_packages(packaged, cache, tmp_path, capsys):
    """Put together, checked, converted; its terms are shown the first time, and stay with it."""
    found = locate("tiny-model")
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("tiny-model: Tiny is free") and str(tmp_path / "site/tiny_one/TERMS.html") in said[0]
    assert len(said) == 2
    loaded = load(found)
    folder = cache / f"tiny-model-{packaged.sha256[:8]}"
    assert (folder / "TERMS.html").read_text() == "the terms" and "Tiny is free" in (folder / "NOTICE").read_text()
    assert json.loads((folder / "gguf.json").read_text())["sha256"] == packaged.sha256 == loaded.revision
    assert not list(folder.glob("*.gguf"))
    assert (str(loaded.spec), loaded.id, loaded.quantization) == ("tiny-model", "tiny-model", "Q8_0")
    assert torch.equal(logits(loaded.model), logits(load(str(tmp_path / "tiny.gguf")).model))
    shutil.rmtree(tmp_path / "site")
    capsys.readouterr()
    assert locate("tiny-model") == found  # the package is not needed any more
    assert capsys.readouterr().err == ""


def test_a_package_that_is_not_there(packaged, tmp_path):
    (tmp_path / "site/tiny_two/data/part").unlink()
    refused("tiny-model", "tiny-model needs the extra: pip install tiny", "--model FILE.gguf")
    shutil.rmtree(tmp_path / "site/tiny_one")
    refused("tiny-model", "tiny-model needs the extra: pip install tiny")
    refused("tiny-model@main", "has no revisions")


def test_a_package_with_another_file(packaged, tmp_path):
    with open(tmp_path / "site/tiny_two/data/part", "r+b") as part:
        part.seek(500)
        part.write(b"x")
    refused("tiny-model", "tiny-model", f"expected {packaged.sha256}", "pip install tiny")


def test_every_entry_is_in_order():
    """Of the table itself: full digests, one package path a part, no clash with the other aliases."""
    from fine_tuning.model_spec import ALIASES

    for alias, entry in PACKAGED.items():
        assert alias not in ALIASES and len(bytes.fromhex(entry.sha256)) == 32
        assert entry.notice and all("/" in name for name in (*entry.files, entry.terms))


SLOW = """
import sys, time
from pathlib import Path
from fine_tuning.cache import make_once
def make(folder):
    (folder / "half").write_text("x")
    print("begun", flush=True)
    time.sleep(float(sys.argv[2]))
    (folder / "rest").write_text(sys.argv[3])
print(make_once(Path(sys.argv[1]), make).joinpath("rest").read_text())
"""


def making(folder: Path, seconds: float, text: str) -> subprocess.Popen:
    words = [sys.executable, "-c", SLOW, str(folder), str(seconds), text]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_kill_leaves_nothing_that_looks_finished(tmp_path):
    """Killed half-way; the next try begins afresh, and what the first had left is gone."""
    folder = tmp_path / "models" / "one"
    first = making(folder, 60, "first")
    assert first.stdout.readline() == "begun\n"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert not folder.exists() and (folder.parent / ".one.part" / "half").exists()
    out, _ = making(folder, 0, "second").communicate(timeout=30)
    assert out == "begun\nsecond\n" and not (folder.parent / ".one.part").exists()


def test_two_at_once_make_one(tmp_path):
    """The second process waits, says so, and takes what the first has made."""
    folder = tmp_path / "one"
    first = making(folder, 3, "first")
    assert first.stdout.readline() == "begun\n"
    began = time.monotonic()
    out, err = making(folder, 0, "second").communicate(timeout=30)
    assert out == "first\n" and "waiting" in err and time.monotonic() - began > 0.5
    assert first.communicate()[0] == "first\n"


def test_a_damaged_folder_says_how_to_mend_it(tmp_path, cache):
    path = write_gguf(tmp_path / "tiny.gguf", llama())
    folder = locate(str(path)).folder
    (folder / "gguf.json").write_text("{")
    with pytest.raises(FactrootsError, match="remove it, and it is made anew"):
        load(str(path))
