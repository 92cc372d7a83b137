"""composable-sft's file, read and written, against its encoding and decoding done over by hand, an entry at a time."""

import pickle
import zipfile
from itertools import pairwise

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from data_builders.errors import FactrootsError
from fine_tuning.commands.group import tune
from fine_tuning.models import load
from fine_tuning.sparse.pytorch_diff import decode, encode, export_pytorch_diff, import_pytorch_diff, read
from fine_tuning.variants.delta import Sparse
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import read_variant
from fine_tuning.variants.names import parameters, untie
from tests.variant_fixtures import delta_variant, noise, tiny_base


def theirs(tensor):
    """What ``encode_sparse_tensor`` makes of a tensor: the first dimension fastest, the first step numpy's."""
    found = {}
    for at in np.argwhere(tensor.numpy() != 0):
        index, step = 0, 1
        for coordinate, size in zip(at, tensor.shape, strict=True):
            index, step = index + int(coordinate) * step, step * size
        found[index] = tensor[tuple(at)]
    indices = sorted(found)
    steps = [np.int64(indices[0])] + [b - a for a, b in pairwise(indices)] if indices else []
    return {"size": tensor.size(), "index_steps": steps, "values": torch.tensor([float(found[i]) for i in indices])}


def applied(model, diffs, whole):
    """``SFT.apply``: differences added, whole tensors put in the place of others."""
    with torch.no_grad():
        for name, entry in diffs.items():
            parameter, index = model.get_parameter(name), 0
            for step, value in zip(entry["index_steps"], entry["values"], strict=True):
                index, rest, at = index + int(step), 0, []
                rest = index
                for size in entry["size"]:
                    at.append(rest % size)
                    rest //= size
                parameter[tuple(at)] += value
        for name, values in whole.items():
            model.get_parameter(name).copy_(values)


def sparse_noise(shape, seed, share=0.2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) < share)


@pytest.mark.parametrize("shape", [(7,), (5, 3), (3, 5), (2, 3, 4)])
def test_an_encoding_is_theirs_and_comes_back(shape):
    tensor = sparse_noise(shape, 1, 0.5)
    ours, expected = encode(tensor), theirs(tensor)
    assert ours["index_steps"] == [int(step) for step in expected["index_steps"]]
    assert torch.equal(ours["values"], expected["values"]) and ours["size"] == expected["size"]
    for entry in (ours, expected):
        assert torch.equal(decode(entry).dense(), tensor)
    assert all(type(step) is int for step in ours["index_steps"])


def test_a_file_made_under_numpy_1_is_read(tmp_path):
    entry = theirs(torch.tensor([0.0, 3.0, 4.0]))
    torch.save({"diffs": {"x": entry}, "abs": {}}, tmp_path / "new.bin")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "new.bin", weights_only=True)  # its first step is a numpy number
    with zipfile.ZipFile(tmp_path / "new.bin") as new, zipfile.ZipFile(tmp_path / "old.bin", "w") as old:
        for one in new.infolist():
            old.writestr(one.filename, new.read(one).replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray"))
    assert b"cnumpy.core.multiarray" in (tmp_path / "old.bin").read_bytes()
    assert torch.equal(read(tmp_path / "old.bin")[0]["x"].dense(), torch.tensor([0.0, 3.0, 4.0]))


def test_beyond_what_32_bits_hold():
    shape = (250_002, 20_000)
    flat = torch.tensor([3, 2**31 - 1, 2**31 + 5, 250_002 * 20_000 - 1])
    part = Sparse(flat, torch.tensor([1.0, 2.0, 3.0, 4.0]), shape)
    again = decode(encode(part))
    assert torch.equal(again.indices, flat) and torch.equal(again.values, part.values)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_a_model_is_what_composable_sft_makes_of_it(kind, tmp_path):
    base = tiny_base(tmp_path / "base", kind)
    model = load(base).model
    untie(model)
    body = {n: p for n, p in parameters(model).items() if n.startswith(model.base_model_prefix + ".")}
    bias = "cls.predictions.bias" if kind == "bert" else "lm_head.bias"
    diffs = {name: theirs(sparse_noise(p.shape, i)) for i, (name, p) in enumerate(body.items())}
    whole = {bias: torch.randn(model.get_parameter(bias).shape)}
    (tmp_path / "sft").mkdir()
    torch.save({"diffs": diffs, "abs": whole}, tmp_path / "sft" / "pytorch_diff.bin")
    made = import_pytorch_diff(tmp_path / "sft", base, tmp_path / "variant")
    assert made.about.tie == "untied" and made.about.method.startswith("lt-sft(k=")
    applied(model, diffs, whole)
    found = load(f"{base}+{made.folder}").model
    for name, p in parameters(model).items():
        if name == bias:
            torch.testing.assert_close(parameters(found)[name], p, rtol=1e-6, atol=1e-6)
        else:
            assert torch.equal(parameters(found)[name], p), name
    headless = import_pytorch_diff(tmp_path / "sft", base, tmp_path / "headless", head=False)
    assert read_delta(headless.folder).keys() == body.keys()
    args = ["import", "pytorch-diff", str(tmp_path / "sft"), "--no-head", "--model", base, "--output"]
    assert CliRunner().invoke(tune, [*args, str(tmp_path / "said")]).exit_code == 0
    assert read_variant(tmp_path / "said").about == headless.about

    export_pytorch_diff(made, tmp_path / "out")
    again, nothing = read(tmp_path / "out" / "pytorch_diff.bin")
    assert not nothing
    for name, part in read_delta(made.folder).items():
        dense = part.dense() if isinstance(part, Sparse) else part
        assert torch.equal(again[name].dense(), dense)
    torch.load(tmp_path / "out" / "pytorch_diff.bin", weights_only=True)  # with nothing allowed besides


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code in a file was run')",))


def test_nothing_in_a_file_is_run_and_what_is_broken_is_named(tmp_path):
    base = tiny_base(tmp_path / "base")
    good = theirs(torch.tensor([[0.0, 1.0], [2.0, 0.0]]))
    name = "bert.encoder.layer.0.output.dense.bias"
    files = {
        "code": {"diffs": {}, "abs": {}, "more": Evil()},
        "no diffs": {"body": {}},
        "outside": {"diffs": {name: good | {"index_steps": [0, 9]}}, "abs": {}},
        "twice": {"diffs": {name: good | {"index_steps": [1, 0]}}, "abs": {}},
        "before": {"diffs": {name: good | {"index_steps": [-1, 2]}}, "abs": {}},
        "too many": {"diffs": {name: good | {"values": torch.ones(3)}}, "abs": {}},
        "nan": {"diffs": {name: good | {"values": torch.tensor([1.0, float("nan")])}}, "abs": {}},
    }
    for what, content in files.items():
        (folder := tmp_path / what).mkdir()
        torch.save(content, folder / "pytorch_diff.bin")
        with pytest.raises(FactrootsError, match="can be read"):
            import_pytorch_diff(folder, base, tmp_path / "v")
    with pytest.raises(FactrootsError, match="can be read"):
        import_pytorch_diff(tmp_path / "nowhere", base, tmp_path / "v")
    (tmp_path / "nan" / "pytorch_diff.bin").write_bytes(pickle.dumps(Evil(), 2))
    with pytest.raises(FactrootsError, match="can be read"):
        import_pytorch_diff(tmp_path / "nan", base, tmp_path / "v")
    for what, entries, said in (("shape", {name: good}, "has shape"), ("name", {"classifier.weight": good}, "has no")):
        (folder := tmp_path / what).mkdir()
        torch.save({"diffs": entries, "abs": {}}, folder / "pytorch_diff.bin")
        with pytest.raises(FactrootsError, match=said):
            import_pytorch_diff(folder, base, tmp_path / "v")
    assert not (tmp_path / "v").exists()


def test_only_differences_are_written(tmp_path):
    base = tiny_base(tmp_path / "base")
    made = delta_variant(tmp_path / "v", base, noise(load(base).model, share=0.1))
    other = made._replace(about=made.about.model_copy(update={"kind": "peft"}))
    with pytest.raises(FactrootsError, match="no difference of weights"):
        export_pytorch_diff(other, tmp_path / "out")
    export_pytorch_diff(made, tmp_path / "out")
    with pytest.raises(FactrootsError, match="there already"):
        export_pytorch_diff(made, tmp_path / "out")
