"""Where the layers are, what is seen there, and that nothing stays on the model."""

from __future__ import annotations

import causal_fixtures
import probe_fixtures
import pytest
import torch
from geometry_fixtures import KINDS, ids, states, tiny
from probe_fixtures import loaded

from data_builders.errors import FactrootsError
from probe.geometry.body import Body
from probe.geometry.layers import blocks, watching

#: Architectures whose blocks are found; how ALBERT, XLM and FlauBERT fare is told below. Mamba's tiny ones give NaN.
MASKED = sorted({*probe_fixtures.ARCHITECTURES} - {"albert", "flaubert", "xlm"})
CAUSAL = sorted({*causal_fixtures.ARCHITECTURES} - {"mamba", "mamba2"})
#: The norm after the last block, by the beginning of an architecture's name.
NORMS = {
    "modernbert": "model.final_norm", "gpt2": "transformer.ln_f", "gpt_neo,": "transformer.ln_f",
    "gpt_neox": "gpt_neox.final_layer_norm", "falcon": "transformer.ln_f", "bloom": "transformer.ln_f",
    "phi": "model.final_layernorm", "llama": "model.norm", "gemma": "model.norm", "qwen": "model.norm",
    "mistral": "model.norm", "cohere": "model.norm", "granite": "model.norm",
    "opt": "model.decoder.final_layer_norm model.decoder.project_out",
}  # fmt: skip


def hooks(model) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def seen_by(model, found, tokens) -> dict[int, torch.Tensor]:
    seen = {}
    with watching(found, lambda layer, x: seen.__setitem__(layer, x.clone())), torch.no_grad():
        model(input_ids=tokens)
    return seen


@pytest.mark.parametrize("kind", [*MASKED, *CAUSAL])
def test_states_are_the_models_own(kind):
    masked = kind in MASKED
    tokenizer = (probe_fixtures.wordpiece if masked else causal_fixtures.sentence_piece)()
    make = probe_fixtures.tiny_model if masked else causal_fixtures.tiny_causal
    one = loaded(make(kind, tokenizer), tokenizer)._replace(family="masked" if masked else "causal")
    tokens = ids(one)
    body = Body.of(one)
    seen, own = seen_by(one.model, body.blocks, tokens), states(one, tokens)
    assert [*seen] == [0, 1, 2] and body.width == seen[0].shape[-1]
    assert all(torch.equal(seen[layer], own[layer]) for layer in (0, 1))
    norm = next((path for name, path in NORMS.items() if kind.startswith(name)), "")
    assert norm or (masked and kind != "modernbert")
    last = seen[2]
    with torch.no_grad():  # what the norm is given is what leaves the last block
        for path in norm.split():
            last = one.model.get_submodule(path)(last)
    assert torch.equal(last, own[2])


def test_chosen_layers_only():
    one, seen = tiny("bert"), []
    with watching(blocks(one.model), lambda layer, _: seen.append(layer), [2, 0, 2]), torch.no_grad():
        one.model(input_ids=ids(one))
    assert seen == [0, 2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_what_is_returned_goes_on(kind, layer):
    one = tiny(kind)
    tokens, found = ids(one), blocks(one.model)
    plain = seen_by(one.model, found, tokens)
    with watching(found, lambda _, x: x + 1, [layer]):
        moved = seen_by(one.model, found, tokens)
    assert all(torch.equal(moved[i], plain[i]) for i in range(layer))
    assert torch.equal(moved[layer], plain[layer] + 1)
    assert all(not torch.equal(moved[i], plain[i]) for i in range(layer + 1, 3))


@pytest.mark.parametrize("layers", [None, [0], [2]])
def test_no_hook_is_left_after_an_exception(layers):
    one = tiny("gpt2")
    before = hooks(one.model)

    def look(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), watching(blocks(one.model), look, layers):
        assert hooks(one.model) > before
        one.model(input_ids=ids(one))
    assert hooks(one.model) == before
    with pytest.raises(KeyError), watching(blocks(one.model), lambda *_: None):
        raise KeyError
    assert hooks(one.model) == before


def test_no_hook_is_left_where_registering_fails(monkeypatch):
    one = tiny("bert")
    found, before = blocks(one.model), hooks(one.model)
    missing = pytest.raises(FactrootsError, match=r"no layer 3; --layers takes 0 \(the embeddings\) to 2")
    with missing, watching(found, lambda *_: None, [0, 1, 3]):
        pass
    assert hooks(one.model) == before

    def refuse(*_, **__):
        raise RuntimeError("no more hooks")

    monkeypatch.setattr(found[1], "register_forward_hook", refuse)
    with pytest.raises(RuntimeError), watching(found, lambda *_: None):
        pass
    assert hooks(one.model) == before


def test_a_module_that_is_several_layers():
    tokenizer = probe_fixtures.wordpiece()
    with pytest.raises(FactrootsError, match=r"2 layers in 1 module \(albert.encoder.albert_layer_groups.0 first\)"):
        blocks(probe_fixtures.tiny_model("albert", tokenizer))


def test_an_unknown_layout_names_the_argument():
    model = probe_fixtures.tiny_model("xlm", probe_fixtures.wordpiece())
    with pytest.raises(FactrootsError, match="layers of a xlm were not found.*--layers-at"):
        blocks(model)


def test_layers_at():
    model = tiny("xlm-roberta").model
    assert blocks(model, "roberta.encoder.layer") == blocks(model)
    with pytest.raises(
        FactrootsError, match="--layers-at roberta.layers: .*its lists of modules: roberta.encoder.layer"
    ):
        blocks(model, "roberta.layers")
    with pytest.raises(FactrootsError, match="2 layers in 3 modules"):
        blocks(model, "roberta.encoder.layer.0")


def test_blocks_that_do_not_follow_each_other():
    one = tiny("bert")
    two = torch.nn.ModuleList([one.model.bert.encoder.layer[0], one.model.bert.encoder.layer[0].attention])
    one.model.bert.encoder.two = two
    with pytest.raises(FactrootsError, match="not run once each, one after the other"):
        Body.of(one, "bert.encoder.two")
    assert hooks(one.model) == 0


def test_only_masked_and_causal():
    with pytest.raises(FactrootsError, match="is a seq2seq LM.*choose another --model"):
        Body.of(tiny("bert")._replace(family="seq2seq"))
