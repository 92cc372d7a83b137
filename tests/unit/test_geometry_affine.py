"""The affine map, by hand and inside a model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from geometry_fixtures import KINDS, ids, tiny
from test_geometry_layers import seen_by

from data_builders.errors import FactrootsError
from probe.geometry.affine import AffineMap, intervening
from probe.geometry.layers import blocks

D = 16


def drawn(k: int | None, keep: bool = True, seed: int = 0, d: int = D) -> AffineMap:
    draw = np.random.default_rng(seed)
    basis = None if k is None else np.linalg.qr(draw.normal(size=(d, d)))[0][:, :k]
    return AffineMap(basis, draw.normal(size=d), draw.normal(size=d), keep)


def by_hand(one: AffineMap, x: np.ndarray) -> np.ndarray:
    """A vector at a time, as the formula is written."""
    out = []
    for v in x.reshape(-1, len(one.add)).astype(float):
        apart = v - one.subtract
        inside = apart if one.basis is None else sum((b @ apart) * b for b in one.basis.T) + 0 * apart
        out.append((inside if one.keep else apart - inside) + one.add)
    return np.array(out).reshape(x.shape)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("k", [None, 0, 3, 11, D])
def test_the_formula(k, keep):
    one, x = drawn(k, keep), np.random.default_rng(1).normal(size=(2, 5, D)) * 10
    assert np.allclose(one.on(torch.float64, "cpu")(torch.tensor(x)).numpy(), by_hand(one, x), rtol=0, atol=1e-12)
    single = one.on(torch.float32, "cpu")(torch.tensor(x).float())
    assert single.dtype == torch.float32
    assert np.allclose(single.numpy(), by_hand(one, x), rtol=0, atol=1e-4)
    assert one.rank == {True: D if k is None else k, False: D - (D if k is None else k)}[keep]


def test_half_precision_is_left_for_the_products():
    """Rounded once, at the end: so it is as near as bfloat16 can be."""
    one, x = drawn(3), torch.randn(4, D, generator=torch.Generator().manual_seed(0)).bfloat16()
    new = one.on(torch.bfloat16, "cpu")(x)
    exact = torch.tensor(by_hand(one, x.float().numpy())).float()
    assert new.dtype == torch.bfloat16 and (new != exact.bfloat16()).float().mean() < 0.05


@pytest.mark.parametrize("basis", [None, np.linalg.qr(np.random.default_rng(2).normal(size=(D, D)))[0]])
def test_all_of_the_space_is_exactly_the_identity(basis):
    mean = np.random.default_rng(3).normal(size=D) * 7.3
    x = torch.randn(5, D) * 1e3
    x[0, 0] = -0.0
    for dtype in (torch.float32, torch.bfloat16):
        new = AffineMap(basis, mean, mean.copy()).on(dtype, "cpu")(x.to(dtype))
        assert torch.equal(new, x.to(dtype)) and new[0, 0].signbit()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_in_a_model(kind, layer):
    """At the layer the hand-computed projection, and below it what was there, bit for bit."""
    one, tokens, map = tiny(kind), ids(tiny(kind)), drawn(5)
    found = blocks(one.model)
    plain = seen_by(one.model, found, tokens)
    with intervening(found, layer, map):
        moved = seen_by(one.model, found, tokens)
    expected = by_hand(map, plain[layer].numpy())
    assert np.allclose(moved[layer].numpy(), expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))
    assert all(torch.equal(moved[i], plain[i]) for i in range(layer))
    again = seen_by(one.model, found, tokens)
    assert all(torch.equal(again[i], plain[i]) for i in range(3))


@pytest.mark.parametrize("kind", KINDS)
def test_the_identity_leaves_the_logits(kind):
    one, mean = tiny(kind), np.random.default_rng(0).normal(size=D)
    tokens, found = ids(one), blocks(one.model)
    with torch.no_grad():
        plain = one.model(input_ids=tokens).logits
        for layer in range(3):
            with intervening(found, layer, AffineMap(None, mean, mean)):
                assert torch.equal(one.model(input_ids=tokens).logits, plain)
        with intervening(found, 1, drawn(5)):
            assert not torch.equal(one.model(input_ids=tokens).logits, plain)


def test_nested_ones_act_from_the_outside_in():
    one, first, second = tiny("bert"), drawn(5, seed=1), drawn(7, keep=False, seed=2)
    tokens, found = ids(one), blocks(one.model)
    plain = seen_by(one.model, found, tokens)
    with intervening(found, 1, first), intervening(found, 1, second):
        moved = seen_by(one.model, found, tokens)
    expected = by_hand(second, by_hand(first, plain[1].numpy()))
    assert np.allclose(moved[1].numpy(), expected, rtol=0, atol=1e-5)
    assert not np.allclose(by_hand(first, by_hand(second, plain[1].numpy())), expected, atol=1e-2)


def test_a_layer_that_is_not_there():
    one = tiny("bert")
    with pytest.raises(FactrootsError, match="no layer 7"), intervening(blocks(one.model), 7, drawn(2)):
        pass
