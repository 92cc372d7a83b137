"""The K greatest over many tensors: against one sort of all of them, with ties, zeros, signs and odd numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.errors import FactrootsError
from fine_tuning.sparse import topk
from fine_tuning.sparse.topk import at_least, cut, top

#: Few distinct values, so that nearly all are ties: zeros of both signs, denormals, neighbours, the greatest there is.
VALUES = (0.0, -0.0, 1e-45, -1e-45, 1.1754944e-38, 1.0, -1.0, 1.0000001, 2.5, -3.4028235e38, 65504.0)


def scores_of(tensors):
    return lambda name, at: tensors[name].reshape(-1)[at]


def shapes_of(tensors):
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def flat(masks):
    return torch.cat([mask.flatten() for mask in masks.values()])


@st.composite
def several(draw):
    sizes = draw(st.lists(st.tuples(st.integers(0, 7), st.integers(1, 6)), min_size=1, max_size=4))
    return {
        str(i): torch.tensor(
            draw(st.lists(st.sampled_from(VALUES), min_size=a * b, max_size=a * b)), dtype=torch.float32
        ).view(a, b)
        for i, (a, b) in enumerate(sizes)
    }


@settings(max_examples=300, deadline=None)
@given(several(), st.integers(0, 200), st.integers(1, 9))
def test_exactly_those_that_a_stable_sort_has_first(tensors, k, chunk):
    whole = torch.cat([tensor.flatten() for tensor in tensors.values()]).abs()
    order = whole.double().sort(descending=True, stable=True).indices
    expected = torch.zeros(len(whole), dtype=torch.bool)
    expected[order[: min(k, int(whole.count_nonzero()))]] = True
    before, topk.CHUNK = topk.CHUNK, chunk
    try:
        assert torch.equal(flat(top(shapes_of(tensors), scores_of(tensors), k)), expected)
        if 0 < k <= len(whole):
            threshold = whole[order[k - 1]]
            assert torch.equal(flat(at_least(shapes_of(tensors), scores_of(tensors), k)), whole >= threshold)
    finally:
        topk.CHUNK = before


@pytest.mark.parametrize("k", [1, 1000, 27_123, 99_999])
def test_the_values_are_those_of_torch_topk(k):
    generator = torch.Generator().manual_seed(1)
    tensors = {
        name: torch.randn(shape, generator=generator) for name, shape in {"a": (100, 700), "b": (30_000,)}.items()
    }
    masks = top(shapes_of(tensors), scores_of(tensors), k)
    taken = torch.cat([tensors[name][mask] for name, mask in masks.items()]).abs()
    expected = torch.cat([tensor.flatten() for tensor in tensors.values()]).abs().topk(k).values
    assert torch.equal(taken.sort(descending=True).values, expected)
    where = cut(shapes_of(tensors), scores_of(tensors), k)
    assert np.int32(where.bits).view(np.float32) == expected[-1].item()
    assert where.above < k <= where.above + where.equal


def test_nothing_to_choose_from():
    empty = {"a": torch.zeros(3, 2), "b": torch.zeros(0)}
    assert not flat(top(shapes_of(empty), scores_of(empty), 4)).any()
    assert cut(shapes_of(empty), scores_of(empty), 0) is None
    assert flat(at_least(shapes_of(empty), scores_of(empty), 1)).all()
    assert top({}, scores_of({}), 3) == at_least({}, scores_of({}), 3) == {}


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), -float("nan")])
def test_what_is_not_finite_is_no_score(odd):
    tensors = {"a": torch.tensor([1.0, odd, 0.0])}
    with pytest.raises(FactrootsError, match="not all finite"):
        top(shapes_of(tensors), scores_of(tensors), 1)
