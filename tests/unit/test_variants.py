"""Deltas and variants on disk: names, sums, files, and that what is taken off leaves nothing behind."""

import json
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from data_builders.errors import FactrootsError
from fine_tuning.model_spec import ModelSpec, Scaled
from fine_tuning.models import load
from fine_tuning.variants import hashing
from fine_tuning.variants.applying import applied, apply_delta
from fine_tuning.variants.base import base_sha256, tokenizer_sha256
from fine_tuning.variants.delta import Sparse, add_to, chosen, count, difference, scaled, total
from fine_tuning.variants.delta_file import read_delta, write_delta
from fine_tuning.variants.folder import read_variant, write_variant
from fine_tuning.variants.names import copy_of, is_tied, parameters, retie, tie_of, untie
from tests.causal_fixtures import byte_level, tiny_causal
from tests.probe_fixtures import tiny_model, wordpiece


def write(folder, model, tokenizer):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def base(tmp_path):
    tokenizer = wordpiece()
    return write(tmp_path / "base", tiny_model("bert", tokenizer), tokenizer)


def variant(folder, base, delta, tie="tied", **about):
    loaded = load(base)
    size = sum(p.numel() for p in parameters(loaded.model).values())
    return write_variant(
        folder,
        lambda part: write_delta(part, delta),
        kind="delta",
        method="full",
        base={
            "spec": base,
            "id": base,
            "sha256": base_sha256(loaded_folder(base)),
            "tokenizer": tokenizer_sha256(loaded.tokenizer),
            "model_type": loaded.model.config.model_type,
            "family": loaded.family,
            "parameters": size,
        },
        tie=tie,
        trained=size,
        stored=count(delta),
        packages={},
        **about,
    )


def loaded_folder(base):
    from pathlib import Path

    return Path(base)


def noise(model, seed=0, share=1.0):
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, p in parameters(model).items():
        mask = torch.rand(p.shape, generator=generator) < share
        made[name] = torch.randn(p.shape, generator=generator) * 0.02 * mask
    return made


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "gpt2"])
def test_names_are_the_bodys_and_each_parameter_has_one(kind):
    model = tiny_causal(kind, byte_level()) if kind == "gpt2" else tiny_model(kind, wordpiece())
    named = parameters(model)
    assert len({id(p) for p in named.values()}) == len(named) == len(list(model.parameters()))
    assert sum(p.numel() for p in named.values()) == sum(p.numel() for p in model.parameters())
    embeddings = model.get_input_embeddings().weight
    (name,) = [name for name, p in named.items() if p is embeddings]
    assert name.startswith(model.base_model_prefix + ".")


def test_untying_and_tying_again():
    model = tiny_model("bert", wordpiece())
    assert is_tied(model) and tie_of(model) == "tied"
    untie(model)
    assert not is_tied(model) and tie_of(model) == "untied"
    own = tiny_model("bert", wordpiece(), tie_word_embeddings=False)
    untie(own)
    assert not is_tied(own) and tie_of(own) == "separate"
    model.tie_weights()
    assert not is_tied(model)
    assert torch.equal(model.get_output_embeddings().weight, model.get_input_embeddings().weight)
    retie(model)
    assert is_tied(model) and model.config.tie_word_embeddings


parts = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2**12 - 1), min_size=1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(parts, st.booleans()), min_size=1, max_size=4))
def test_sums_are_those_of_the_dense_and_independent_of_order(raw):
    deltas = []
    for number, (entries, sparse) in enumerate(raw):
        made = {}
        for name, bits in entries.items():
            whole = torch.tensor([float(number + i + 1) if bits >> i & 1 else 0.0 for i in range(12)]).view(3, 4)
            at = whole.flatten().nonzero()[:, 0]
            made[name] = Sparse(at, whole.flatten()[at], (3, 4)) if sparse else whole
        deltas.append(made)

    def dense(delta):
        return {name: p.dense() if isinstance(p, Sparse) else p for name, p in delta.items()}

    one, other = dense(total(deltas)), dense(total(deltas[::-1]))
    for name, whole in one.items():
        assert torch.equal(whole, other[name])
        assert torch.equal(whole, sum(dense(delta)[name] for delta in deltas if name in delta))
    assert count(total([deltas[0], scaled(deltas[0], -1)])) == 0


def test_a_delta_round_trips_and_equal_deltas_are_equal_bytes(tmp_path):
    model = tiny_model("bert", wordpiece())
    before = copy_of(model)
    apply_delta(model, noise(model, share=0.1))
    masks = {name: p != before[name] for name, p in parameters(model).items()}
    whole, some = difference(parameters(model), before), chosen(parameters(model), before, masks)
    assert count(some) == sum(int(mask.sum()) for mask in masks.values()) == count(whole)
    for name, delta in (("whole", whole), ("some", some)):
        for folder in (tmp_path / name, tmp_path / f"{name}2"):
            folder.mkdir()
            write_delta(folder, delta)
        assert (tmp_path / name / "delta.safetensors").read_bytes() == (
            tmp_path / f"{name}2" / "delta.safetensors"
        ).read_bytes()
        again = read_delta(tmp_path / name)
        assert again.keys() == delta.keys()
        for key, part in delta.items():
            pairs = zip(part, again[key], strict=True) if isinstance(part, Sparse) else [(part, again[key])]
            assert all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)
    sizes = [(tmp_path / name / "delta.safetensors").stat().st_size for name in ("some", "whole")]
    assert sizes[0] < 0.5 * sizes[1]  # of so small a model a good part is names


@pytest.mark.parametrize("tie", ["tied", "untied"])
def test_what_is_taken_off_leaves_nothing_behind(tie):
    model = tiny_model("bert", wordpiece())
    before = {name: p.clone() for name, p in model.state_dict().items()}
    delta = noise(model)
    undo = apply_delta(model, delta, 0.7, tie)
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name] + 0.7 * part) for name, part in delta.items())
    assert is_tied(model) == (tie == "tied")
    head, embeddings = model.get_output_embeddings().weight, model.get_input_embeddings().weight
    assert torch.equal(head, before["bert.embeddings.word_embeddings.weight"]) == (tie == "untied")
    assert not torch.equal(embeddings, before["bert.embeddings.word_embeddings.weight"])
    undo()
    assert is_tied(model)
    assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())


def test_a_tied_delta_on_an_untied_model_changes_the_heads_copy_too():
    model = tiny_model("bert", wordpiece())
    name = "bert.embeddings.word_embeddings.weight"
    delta = {name: torch.ones_like(parameters(model)[name])}
    apply_delta(model, {name: 2 * delta[name]}, tie="untied")
    apply_delta(model, delta, tie="tied")
    difference_ = model.get_input_embeddings().weight - model.get_output_embeddings().weight
    torch.testing.assert_close(difference_, 2 * delta[name], atol=1e-5, rtol=0)


def test_a_delta_that_does_not_fit_changes_nothing():
    model = tiny_model("bert", wordpiece())
    before = copy_of(model)
    first = next(iter(before))
    for wrong, said in (({"no.such": torch.ones(2)}, "no parameter no.such"), ({first: torch.ones(3)}, "has shape")):
        with pytest.raises(FactrootsError, match=said):
            add_to(parameters(model), {first: before[first], **wrong})
        with pytest.raises(FactrootsError, match=said):
            apply_delta(model, wrong, tie="untied")
        assert is_tied(model)
    assert all(torch.equal(p, before[name]) for name, p in parameters(model).items())


def test_the_base_hash_is_the_same_however_files_are_named_and_cut(tmp_path):
    one, two = torch.randn(4, 3), torch.randn(5)
    for folder in "abcd":
        (tmp_path / folder).mkdir()
    save_file({"x": one, "y": two, "ids": torch.arange(3)}, tmp_path / "a" / "model.safetensors")
    save_file({"head.x": one.clone(), "body.x": one, "z": two}, tmp_path / "b" / "model.safetensors", {"format": "pt"})
    save_file({"x": one}, tmp_path / "c" / "model-1.safetensors")
    save_file({"y": two}, tmp_path / "c" / "model-2.safetensors")
    save_file({"x": one + 1e-6, "y": two}, tmp_path / "d" / "model.safetensors")
    a, b, c, d = (base_sha256(tmp_path / folder) for folder in "abcd")
    assert a == b == c != d
    (tmp_path / "a" / "model.safetensors").write_bytes(b"nothing of the sort")
    with pytest.raises(FactrootsError, match="no safetensors file"):
        base_sha256(tmp_path / "a")


def test_a_file_is_hashed_once_and_a_changed_one_anew(tmp_path, monkeypatch):
    read, path = [], tmp_path / "weights"

    @hashing.once
    def content(path):
        read.append(path)
        return path.read_bytes()

    path.write_bytes(b"one")
    assert [content(path) for _ in range(3)] == [b"one"] * 3 and len(read) == 3  # the next change could bear its time
    monkeypatch.setattr(hashing, "YOUNG", 0.0)
    (tmp_path / "link").symlink_to(path)
    assert [content(p) for p in (path, path, tmp_path / "link")] == [b"one"] * 3 and len(read) == 4
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns and content(path) == b"two"
    (tmp_path / "three").write_bytes(b"333")
    os.utime(tmp_path / "three", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "three").replace(path)
    assert content(path) == b"333" and len(read) == 6


def test_weights_that_were_changed_after_a_look_up_are_caught(base, tmp_path, monkeypatch):
    monkeypatch.setattr(hashing, "YOUNG", 0.0)
    made = variant(tmp_path / "v", base, noise(load(base).model))
    assert read_variant(made.folder) == read_variant(made.folder) == made
    weights = made.folder / "delta.safetensors"
    whole, stat = bytearray(weights.read_bytes()), weights.stat()
    whole[-1] ^= 1
    weights.write_bytes(whole)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(FactrootsError, match="is not the file that its variant.json names"):
        read_variant(made.folder)


def test_a_model_is_loaded_with_its_variants(base, tmp_path):
    plain = load(base)
    first, second = noise(plain.model, 1), noise(plain.model, 2, share=0.05)
    one, two = variant(tmp_path / "one", base, first), variant(tmp_path / "two", base, second)
    spec = f"{base}+{one.folder}*0.5+-{two.folder}"
    loaded = load(spec)
    assert str(loaded.spec) == spec
    for name, p in parameters(plain.model).items():
        torch.testing.assert_close(parameters(loaded.model)[name], p + 0.5 * first[name] - second[name])
    hashes = {load(s).sha256 for s in (base, spec, f"{base}+{one.folder}", f"{base}+{one.folder}*0.5")}
    assert len(hashes) == 4
    with applied(plain.model, [(one, 0.5), (two, -1.0)]):
        for name, p in parameters(plain.model).items():
            assert torch.equal(parameters(loaded.model)[name], p)
    assert load(spec, "bfloat16").model.dtype == torch.bfloat16


def test_a_variant_of_another_model_is_refused_with_both_hashes(base, tmp_path):
    made = variant(tmp_path / "v", base, noise(load(base).model))
    other = write(tmp_path / "other", tiny_model("bert", wordpiece(), seed=9), wordpiece())
    with pytest.raises(FactrootsError) as caught:
        load(f"{other}+{made.folder}")
    assert made.about.base.sha256 in str(caught.value) and base_sha256(tmp_path / "other") in str(caught.value)
    with pytest.raises(FactrootsError, match=r"is a variant.*pass --model"):
        load(str(made.folder))


def test_a_damaged_or_unknown_variant_is_refused(base, tmp_path):
    made = variant(tmp_path / "v", base, noise(load(base).model))
    about = json.loads((made.folder / "variant.json").read_text())
    file = made.folder / "delta.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"\x01")
    with pytest.raises(FactrootsError, match=r"delta\.safetensors is not the file"):
        read_variant(made.folder)
    file.unlink()
    with pytest.raises(FactrootsError, match=r"lacks delta\.safetensors"):
        read_variant(made.folder)
    file.write_bytes(whole)
    for change, said in (({"kind": "magic"}, "unknown kind of variant"), ({"more": 1}, "more")):
        (made.folder / "variant.json").write_text(json.dumps(about | change))
        with pytest.raises(FactrootsError, match=said):
            load(f"{base}+{made.folder}")
    with pytest.raises(FactrootsError, match="is no variant"):
        load(f"{base}+{tmp_path / 'nowhere'}")


def test_a_failure_leaves_no_folder_and_nothing_is_written_over(base, tmp_path):
    made = variant(tmp_path / "v", base, {})
    with pytest.raises(FactrootsError, match="is there already"):
        variant(made.folder, base, {})

    def fail(part):
        (part / "half").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        write_variant(tmp_path / "w", fail)
    assert {p.name for p in tmp_path.iterdir()} == {"base", "v"}


@pytest.mark.parametrize(
    "text", ["demo", "demo+runs/it", "org/name@main+a/b*0.25+-c", "demo+-x*1.5", "demo+a*0.0", "demo+a-b"]
)
def test_a_spec_parses_back_to_an_equal_value(text):
    spec = ModelSpec.parse(text)
    assert str(spec) == text
    assert ModelSpec.parse(str(spec)) == spec
    assert spec.base == ModelSpec.parse(text.partition("+")[0])


@pytest.mark.parametrize("text", ["demo+", "demo+a*", "demo+a*x", "demo+a*nan", "demo+*2", "demo++a"])
def test_a_spec_that_says_nothing_is_refused(text):
    with pytest.raises(FactrootsError, match="variant"):
        ModelSpec.parse(text)


def test_scales_multiply_and_negate():
    assert Scaled.parse("-runs/x*0.5") == Scaled("runs/x", -0.5)
    assert str(Scaled("x", -1.0)) == "-x"
