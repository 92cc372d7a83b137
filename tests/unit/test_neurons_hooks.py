"""Where neurons are found, that a look at them changes nothing, and that no hook outlives its block."""

from __future__ import annotations

import causal_fixtures
import probe_fixtures
import pytest
import torch
from causal_fixtures import byte_level, tiny_causal
from neuron_fixtures import KINDS, asked_of, slow_activations, tiny
from probe_fixtures import small_world, tiny_model, wordpiece

from data_builders.errors import FactrootsError
from probe.tracing.neurons.hooks import PATHS, feed_forward, watching
from probe.tracing.neurons.importance import activations
from probe.tracing.neurons.reading import Reader

#: Kinds whose feed-forward neurons are nowhere that a path leads: one block for all layers, no blocks, experts.
ELSEWHERE = {"albert", "mamba", "mamba2", "llama4"}


def model_of(kind: str):
    if kind in probe_fixtures.ARCHITECTURES:
        return tiny_model(kind, wordpiece())
    return tiny_causal(kind, byte_level())


@pytest.mark.parametrize("kind", [*probe_fixtures.ARCHITECTURES, *causal_fixtures.ARCHITECTURES])
def test_every_architecture(kind):
    """Two layers in order, as wide as the configuration says; or a line that says what was tried."""
    model = model_of(kind)
    if kind in ELSEWHERE:
        with pytest.raises(FactrootsError, match=f"of a {model.config.model_type} were not found") as error:
            feed_forward(model)
        assert all(path in str(error.value) for path in PATHS)
        return
    found, names = feed_forward(model), {id(module): name for name, module in model.named_modules()}
    paths = [names[id(layer)] for layer in found.layers]
    assert [next(part for part in path.split(".") if part.isdecimal()) for path in paths] == ["0", "1"]
    assert "attention.output" not in "".join(paths)
    assert len(set(found.widths)) == 1
    assert found.total == 2 * found.widths[0]
    assert found.widths[0] in (32, 64, 128)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_same_bit_by_bit(kind):
    model, tokenizer = (one := tiny(kind)).model, one.tokenizer
    ids = torch.tensor([tokenizer("Roma is la capital")["input_ids"]])
    seen = []
    with torch.no_grad():
        before = model(input_ids=ids).logits
        with watching(feed_forward(model), lambda layer, values: seen.append((layer, values.shape[:2]))):
            during = model(input_ids=ids).logits
        after = model(input_ids=ids).logits
    assert seen == [(0, ids.shape), (1, ids.shape)]
    assert torch.equal(before, during)
    assert torch.equal(before, after)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_hooks_come_off_after_a_failure():
    model = tiny("bert").model

    def fail(*_):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), watching(feed_forward(model), fail):
        model(input_ids=torch.tensor([[1, 2]]))
    assert not any(module._forward_pre_hooks for module in model.modules())


#: The activations by another road: what the first half of the block gives.
FIRST = {
    "bert": lambda model, i: model.bert.encoder.layer[i].intermediate,
    "xlm-roberta": lambda model, i: model.roberta.encoder.layer[i].intermediate,
    "gpt2": lambda model, i: model.transformer.h[i].mlp.act,
}


@pytest.mark.parametrize("kind", FIRST)
def test_they_are_the_activation_function_s_output(kind, tmp_path):
    reader = Reader(one := tiny(kind))
    fact = asked_of(one, small_world(tmp_path))[0][1][0]
    found, seen = activations(reader, reader.batch([fact])), []
    for i in range(2):
        FIRST[kind](one.model, i).register_forward_hook(lambda _, __, out: seen.append(out[0, list(fact.places)]))
    with torch.no_grad():
        one.model(input_ids=torch.tensor([fact.ids]))
    assert found.shape == (1, reader.neurons.total)
    torch.testing.assert_close(found[0], torch.cat([part.mean(dim=0) for part in seen]))


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_gated_blocks_have_their_gate_in(kind, tmp_path):
    one = tiny(kind)
    fact = asked_of(one, small_world(tmp_path))[0][1][0]
    expected = []

    def block(mlp, args):
        value = mlp.act_fn(mlp.gate_proj(args[0])) * mlp.up_proj(args[0])
        expected.append(value[0, list(fact.places)].mean(dim=0))

    for layer in one.model.model.layers:
        layer.mlp.register_forward_pre_hook(block)
    with torch.no_grad():
        found = slow_activations(kind, one.model, fact)
    torch.testing.assert_close(torch.from_numpy(found), torch.cat(expected))


def test_neurons_read_in_pieces_are_refused():
    model = tiny_model("bert", wordpiece(), chunk_size_feed_forward=2)
    with pytest.raises(FactrootsError, match="chunk_size_feed_forward 2"):
        feed_forward(model)
