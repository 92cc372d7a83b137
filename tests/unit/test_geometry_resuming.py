"""A pass that goes on from a layer is bit for bit the whole one, in every architecture that allows it."""

from __future__ import annotations

import causal_fixtures
import numpy as np
import probe_fixtures
import pytest
import torch
from causal_fixtures import byte_level, tiny_causal
from neuron_fixtures import tiny
from probe_fixtures import tiny_model, wordpiece

from data_builders.errors import FactrootsError
from probe.geometry.affine import AffineMap, intervening
from probe.geometry.layers import blocks, watching
from probe.geometry.resuming import Resuming

#: Kinds in which something beside the states goes from block to block, or the model looks at them on the way.
WHOLE: set[str] = set()


def of(kind: str):
    if kind in probe_fixtures.ARCHITECTURES:
        return tiny_model(kind, wordpiece())
    return tiny_causal(kind, byte_level())


def ids(rows: int = 2, length: int = 12, size: int = 60) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(5, size, (rows, length)))


def body(model):
    more = {} if model.config.model_type in probe_fixtures.ARCHITECTURES else {"use_cache": False}
    return lambda ids: model.base_model(input_ids=ids, **more)[0]


@pytest.mark.parametrize("kind", [*probe_fixtures.ARCHITECTURES, *causal_fixtures.ARCHITECTURES])
def test_every_architecture(kind):
    """Another input than the one it was tried on, in another shape, with another map; nothing stays behind."""
    model = of(kind)
    try:
        found = blocks(model)
    except FactrootsError:
        pytest.skip("its layers are not found")
    run = body(model)
    resuming = Resuming(found, run, ids())
    other, kept = ids(3, 9), {}
    with torch.inference_mode(), watching(found, kept.__setitem__):
        plain = run(other)
    d = kept[0].shape[-1]
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d // 2)))[0]
    map = AffineMap(basis, np.full(d, 0.5), np.linspace(0, 1, d))
    for layer in range(len(found) + 1):
        with torch.inference_mode():
            with intervening(found, layer, map):
                whole = run(other)
            with intervening(found, layer, map), resuming.at(layer, kept[layer]):
                again = run(other)
            assert torch.equal(whole, again)
            assert layer == 0 or not torch.equal(whole, plain)
            assert torch.equal(run(other), plain)
    assert resuming.possible == (kind not in WHOLE), kind


def test_blocks_before_the_layer_are_not_run():
    model = tiny("bert").model
    found = blocks(model)
    resuming, kept = Resuming(found, body(model), ids()), {}
    with torch.inference_mode(), watching(found, kept.__setitem__):
        body(model)(ids())
    ran = []
    handles = [block.attention.register_forward_hook(lambda *_, i=i: ran.append(i)) for i, block in enumerate(found)]
    with torch.inference_mode(), resuming.at(1, kept[1]):
        body(model)(ids())
    for handle in handles:
        handle.remove()
    assert ran == [1]


def test_all_is_as_it_was_after_a_failure():
    model = tiny("gpt2").model
    found = blocks(model)
    resuming = Resuming(found, body(model), ids())
    found[0].forward = (own := found[0].forward)  # as some wrappers put one on the instance
    with pytest.raises(ValueError, match="broken"), resuming.at(2, torch.zeros(1)):
        assert found[0].forward is not own
        raise ValueError("broken")
    assert found[0].forward is own
    assert "forward" not in found[1].__dict__
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in found)


class Handing(torch.nn.Module):
    """A block that hands a second value on, which is something."""

    def forward(self, states, *_):
        return states + 1, states.mean()


def test_what_is_handed_on_beside_the_states_forbids_it():
    found = [Handing(), Handing()]

    def run(ids):
        states, extra = ids[..., None].float().expand(*ids.shape, 4), 0
        for block in found:
            states, extra = block(states)
        return states + extra

    resuming, kept = Resuming(found, run, ids()), {}
    with watching(found, kept.__setitem__):
        plain = run(ids())
    assert not resuming.possible
    with resuming.at(2, kept[2] * 0):
        assert torch.equal(run(ids()), plain)


class Looking(torch.nn.Module):
    def forward(self, states):
        return states * 2


def test_a_model_that_looks_at_states_on_the_way_forbids_it():
    found = [Looking(), Looking()]

    def run(ids):
        first = found[0](ids[..., None].float().expand(*ids.shape, 4))
        return found[1](first) + first

    assert not Resuming(found, run, ids()).possible
