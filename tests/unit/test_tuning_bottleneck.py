"""Bottleneck adapters: where they stand in every architecture, what they compute, and that they leave nothing."""

import copy

import pytest
import torch
from adapter_fixtures import CAUSAL, KINDS, adapter_variant, drawn, model_of
from torch.nn.functional import layer_norm, linear, relu
from variant_fixtures import delta_variant, logits, noise, tiny_base

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.architectures import layers
from fine_tuning.bottleneck.config import Config
from fine_tuning.bottleneck.invertible import Nice
from fine_tuning.bottleneck.modules import Bottleneck, count, start
from fine_tuning.bottleneck.placement import blank, install, installed
from fine_tuning.models import load
from fine_tuning.variants.applying import applied, apply
from fine_tuning.variants.folder import read_variant
from fine_tuning.variants.names import parameters


def hooks(model) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_in_every_architecture(kind):
    """Those that add nothing change nothing, others do in either place, and taken out they leave nothing."""
    model, _ = model_of(kind)
    names, plain = [name for name, _ in model.named_modules()], logits(model)
    for placement in ("houlsby", "pfeiffer"):
        undo = install(model, start(blank(model, Config(placement, init="zero", invertible=2.0)), torch.Generator()))
        assert (logits(model) - plain).abs().max() <= 1e-5 * plain.abs().max()  # NICE and its inverse are exact zeros
        undo()
        undo = install(model, drawn(model, placement=placement, invertible=2.0))
        changed = logits(model)
        assert (changed - plain).abs().max() > 1e-2
        twin = copy.deepcopy(model)
        assert torch.equal(logits(twin), changed)
        with torch.no_grad():
            installed(twin)[0].feed_forward["0"].up.bias.add_(1)  # the copy's hooks are its own
        assert torch.equal(logits(model), changed) and not torch.equal(logits(twin), changed)
        undo()
        assert hooks(model) == 0 and [name for name, _ in model.named_modules()] == names
        assert torch.equal(logits(model), plain)


def adapt(a, z):
    return linear(relu(linear(z, a.down.weight, a.down.bias)), a.up.weight, a.up.bias)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["gemma2", "gemma3_text", "qwen3"])
def test_decoders_by_hand(kind):
    """Houlsby adds A(h) to what a sub-block says, Pfeiffer A(s) to the sum with the residual: layers written out."""
    for placement in ("houlsby", "pfeiffer"):
        model, _ = model_of(kind)
        made = drawn(model, placement=placement)
        undo = install(model, made)
        expected = logits(model)
        undo()
        for n, (_, layer) in enumerate(layers(model)):
            ends = (
                ("self_attn", "mlp") if kind == "qwen3" else ("post_attention_layernorm", "post_feedforward_layernorm")
            )
            for block, end in zip(("attention", "feed_forward"), ends, strict=True):
                if not hasattr(made, block):
                    continue
                a, module = getattr(made, block)[str(n)], getattr(layer, end)
                if placement == "houlsby":
                    replace(layer, end, lambda h, a=a: h + adapt(a, h))
                else:  # the feed-forward sub-block is a layer's last: s is what the layer says
                    assert module is not None
                    replace_layer(layer, lambda s, a=a: s + adapt(a, s))
        torch.testing.assert_close(logits(model), expected, atol=1e-4, rtol=1e-5)


def replace(layer, name, change):
    inner = getattr(layer, name).forward

    def forward(*args, **kwargs):
        out = inner(*args, **kwargs)
        return (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)

    getattr(layer, name).forward = forward


def replace_layer(layer, change):
    inner = layer.forward
    layer.forward = lambda *args, **kwargs: change(inner(*args, **kwargs))


@torch.no_grad()
@pytest.mark.parametrize("residual", ["library", "paper"])
def test_a_stack_by_hand(residual):
    """The task adapter's residual is what the language adapter says, or in MAD-X's paper the sub-block's output."""
    model, _ = model_of("bert")
    lang, task = drawn(model, 1), drawn(model, 2, residual=residual, leave_out=(0,))
    for made in (lang, task):
        install(model, made)
    seen = {}
    last = model.bert.encoder.layer[1]
    last.intermediate.dense.register_forward_pre_hook(lambda _, args: seen.update(x=args[0]))
    last.output.dense.register_forward_hook(lambda _, args, out: seen.update(h=out))
    last.register_forward_hook(lambda _, args, out: seen.update(out=out))
    logits(model)
    norm = last.output.LayerNorm

    def ln(s):
        return layer_norm(s, s.shape[-1:], norm.weight, norm.bias, norm.eps)

    x, r = seen["x"], seen["h"]
    one, two = lang.feed_forward["1"], task.feed_forward["1"]
    h = r + adapt(one, ln(r + x))
    h = h + adapt(two, ln(h + x)) if residual == "library" else r + adapt(two, h)
    torch.testing.assert_close(seen["out"], ln(h + x), atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("width", [16, 7])
def test_the_inverse_is_one(width):
    with torch.device("cpu"):
        nice = Nice(width, 2.0, torch.nn.GELU)
    for parameter in nice.parameters():
        parameter.normal_(0, 0.5)
    x = torch.randn(3, 5, width)
    assert (nice(x) - x).abs().max() > 0.1
    assert (nice.inverse(nice(x)) - x).abs().max() < 1e-5
    assert (nice(nice.inverse(x)) - x).abs().max() < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "electra", "gpt2", "llama"])
def test_the_inverse_is_applied_before_the_vocabulary_and_only_once(kind):
    """The vocabulary's matrix reads the inverse of what it read; a second invertible adapter is not used."""
    model, _ = model_of(kind)
    seen = []
    model.get_output_embeddings().register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    made = drawn(model, invertible=2.0)
    install(model, made)
    nice = made.nice
    logits(model)
    before = nice(seen[-1])
    undo = install(model, drawn(model, 5, invertible=2.0, spread=0.0))
    assert [one.inverts for one in installed(model)] == [True, False]
    logits(model)
    torch.testing.assert_close(nice.inverse(before), seen[-1], atol=1e-4, rtol=1e-4)
    undo()
    assert installed(model) == [made]


def test_counts_are_those_published():
    """d = 768, 12 layers; the figures are derived from the packages' formulas, and 8.25 M a language from the paper."""

    def of(**config):
        return count(Bottleneck.blank(Config(**config), 12, 768, 768))

    assert of() == 894_528
    assert of(placement="houlsby") == 1_789_056
    assert of(reduction=2.0) == 7_091_712
    assert of(reduction=2.0, invertible=2.0) - of(reduction=2.0) == 296_064
    assert of(leave_out=(11,)) == 894_528 * 11 // 12


def test_what_weights_start_from():
    def of(init, seed=0, **config):
        made = Bottleneck.blank(Config(init=init, **config), 4, 256, 256)
        return start(made, torch.Generator().manual_seed(seed))

    state = torch.get_rng_state()
    made = {init: of(init, placement="houlsby", invertible=2.0) for init in ("bert", "mam_adapter", "houlsby", "zero")}
    assert torch.equal(state, torch.get_rng_state())
    down = {init: torch.cat([a.down.weight.flatten() for a in m.attention.values()]) for init, m in made.items()}
    up = {init: torch.cat([a.up.weight.flatten() for a in m.attention.values()]) for init, m in made.items()}
    assert abs(down["bert"].std() - 0.02) < 1e-3 and abs(up["bert"].std() - 0.02) < 1e-3
    assert not up["mam_adapter"].any() and not up["zero"].any() and down["zero"].std() > 0.01
    assert abs(down["mam_adapter"].abs().max() - 256**-0.5) < 1e-3  # the bound of Kaiming's with a = √5
    assert abs(down["houlsby"].std() - 0.0088) < 5e-4 and up["houlsby"].abs().max() <= 0.02
    assert not made["zero"].nice.f[2].weight.any() and made["mam_adapter"].nice.f[2].weight.std() > 0.01
    assert not any(p.any() for m in made.values() for name, p in m.named_parameters() if name.endswith("bias"))
    again, other = of("bert", placement="houlsby", invertible=2.0), of("bert", 1, placement="houlsby", invertible=2.0)
    for one, same, differs in zip(*(m.parameters() for m in (made["bert"], again, other)), strict=True):
        assert torch.equal(one, same)
        assert not one.any() or not torch.equal(one, differs)


def test_an_exception_leaves_nothing(monkeypatch):
    model, _ = model_of("bert")
    plain = logits(model)
    made = drawn(model, invertible=2.0)
    monkeypatch.setattr(type(model), "get_submodule", lambda *_: (_ for _ in ()).throw(RuntimeError("no more memory")))
    with pytest.raises(RuntimeError, match="no more memory"):
        install(model, made)
    monkeypatch.undo()
    assert hooks(model) == 0 and not hasattr(model, "bottlenecks") and torch.equal(logits(model), plain)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_variants_are_applied_scaled_swapped_and_taken_off(kind, tmp_path):
    if kind in CAUSAL:
        model, tokenizer = model_of(kind)
        model.save_pretrained(tmp_path / "base")
        tokenizer.save_pretrained(tmp_path / "base")
        base = str(tmp_path / "base")
    else:
        base = tiny_base(tmp_path / "base")
    it, af = (adapter_variant(tmp_path / n, base, i, invertible=2.0) for i, n in enumerate(("it", "af")))
    task = adapter_variant(tmp_path / "task", base, 7, placement="houlsby")
    loaded = load(base)
    plain, before = logits(loaded.model), {n: p.clone() for n, p in loaded.model.state_dict().items()}
    said = {}
    for lang in (it, af):
        with applied(loaded.model, [(lang, 1.0), (task, 1.0)]):
            said[lang.folder] = logits(loaded.model)
        whole = load(f"{base}+{lang.folder}+{task.folder}")
        assert torch.equal(logits(whole.model), said[lang.folder])
        assert not any(p.requires_grad for n, p in parameters(whole.model).items() if n.startswith("bottlenecks"))
    assert (said[it.folder] - said[af.folder]).abs().max() > 1e-2
    with applied(loaded.model, [(task, 0.0)]):
        assert torch.equal(logits(loaded.model), plain)
    with applied(loaded.model, [(task, 0.5)]):
        half = logits(loaded.model)
    with applied(loaded.model, [(task, -1.0)]):
        assert not torch.equal(logits(loaded.model), half)
    delta = delta_variant(tmp_path / "delta", base, noise(loaded.model, share=0.2))
    with applied(loaded.model, [(it, 1.0), (delta, 1.0)]):
        one = logits(loaded.model)
    with applied(loaded.model, [(delta, 1.0), (it, 1.0)]):
        torch.testing.assert_close(logits(loaded.model), one)
    assert not torch.equal(one, said[it.folder])
    after = loaded.model.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[n], p) for n, p in before.items())
    assert hooks(loaded.model) == 0 and torch.equal(logits(loaded.model), plain)
    with pytest.raises(FactrootsError, match=r"it: it has an invertible adapter, which cannot be applied 0\.5 times"):
        load(f"{base}+{it.folder}*0.5")
    assert load(f"{base}+{it.folder}", "bfloat16").model.bottlenecks[0].nice.f[0].weight.dtype == torch.bfloat16


def test_what_cannot_be_is_said_in_a_line(tmp_path):
    for config, said in (
        ({"placement": "nowhere"}, "unknown placement 'nowhere'; there are: houlsby, pfeiffer"),
        ({"activation": "sin"}, "unknown activation 'sin'"),
        ({"init": "ones"}, "unknown init"),
        ({"residual": "none"}, "unknown residual"),
        ({"reduction": 0.0}, "reduction must be above 0"),
        ({"invertible": float("nan")}, "invertible above it or 0"),
        ({"scaling": float("nan")}, "scaling must be a number"),
    ):
        with pytest.raises(FactrootsError, match=said):
            Config(**config)
    model, _ = model_of("bert")
    for config, said in (
        ({"leave_out": (2,)}, "layer 2; the model's are 0 to 1"),
        ({"leave_out": (0, 1)}, "all 2 layers"),
        ({"invertible": 100.0}, "invertible=100 leaves nothing of 8"),
    ):
        with pytest.raises(FactrootsError, match=said):
            blank(model, Config(**config))
    from probe_fixtures import tiny_model, wordpiece

    with pytest.raises(FactrootsError, match=r"a fnet has no places .* choose a --model of type albert, bert"):
        blank(tiny_model("fnet", wordpiece()), Config())
    base = tiny_base(tmp_path / "base")
    made = adapter_variant(tmp_path / "v", base)
    wide = tiny_base(tmp_path / "wide", hidden_size=32)
    with pytest.raises(FactrootsError, match=r"feed_forward\.0\.down\.bias has shape \[4\] among .* need \[8\]"):
        apply(load(wide).model, read_variant(made.folder))
