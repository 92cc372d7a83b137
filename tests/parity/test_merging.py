"""Task vectors and merges against state dicts added by hand, peft's functions called by hand, and TIES as a loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft.utils import merge_utils

from fine_tuning.arithmetic.merging import Merge, merge
from fine_tuning.arithmetic.vectors import vector_between
from fine_tuning.locating import locate
from fine_tuning.models import load
from fine_tuning.variants.applying import apply_delta
from fine_tuning.variants.delta import Sparse, count
from tests.variant_fixtures import tiny_base


def drawn(seed: int, shape=(6, 5), share: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * (torch.rand(shape, generator=generator) < share)


def dense(part):
    return part.dense() if isinstance(part, Sparse) else part


def sparse(whole: torch.Tensor) -> Sparse:
    at = whole.flatten().nonzero()[:, 0]
    return Sparse(at, whole.flatten()[at], tuple(whole.shape))


@pytest.mark.parametrize("name", ["ties", "dare", "dare-ties", "magnitude"])
@pytest.mark.parametrize("form", [dense, sparse], ids=["dense", "sparse"])
def test_merges_are_pefts_functions_tensor_by_tensor(name, form):
    weights, density = [1.0, 0.5, -0.7], 0.4
    deltas = [{key: form(drawn(10 * n + k)) for k, key in enumerate("ab")} for n in range(3)]
    del deltas[2]["b"]  # a tensor that one leaves as it is
    found = merge(deltas, weights, Merge(name, density, seed=3))
    functions = {"dare": "dare_linear", "dare-ties": "dare_ties", "magnitude": "magnitude_prune", "ties": "ties"}
    torch.manual_seed(3)
    for key in "ab":
        tensors = [dense(delta[key]) if key in delta else torch.zeros(6, 5) for delta in deltas]
        expected = getattr(merge_utils, functions[name])(tensors, torch.tensor(weights), density)
        assert torch.equal(dense(found[key]), expected)
        assert isinstance(found[key], Sparse) or form is dense


def ties_by_hand(tensors, weights, density):
    """Yadav et al. 2023, algorithm 1, one entry at a time; weights after the election, as in peft."""
    kept = []
    for tensor in tensors:
        flat = tensor.flatten().tolist()
        order = sorted(range(len(flat)), key=lambda i: -abs(flat[i]))[: int(density * len(flat))]
        kept.append([value if i in order else 0.0 for i, value in enumerate(flat)])
    merged = []
    for column in zip(*kept, strict=True):
        sign = 1 if sum(column) >= 0 else -1
        agreeing = [w * v for w, v in zip(weights, column, strict=True) if v * sign > 0]
        merged.append(sum(agreeing) / len(agreeing) if agreeing else 0.0)
    return torch.tensor(merged).view(tensors[0].shape)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(0.05, 1))
def test_ties_is_the_papers_algorithm(seed, n, density):
    tensors = [drawn(seed + i) for i in range(n)]
    weights = [0.5 + i for i in range(n)]
    found = merge([{"a": t} for t in tensors], weights, Merge("ties", density))
    got = dense(found["a"]) if "a" in found else torch.zeros(6, 5)
    torch.testing.assert_close(got, ties_by_hand(tensors, weights, density))


def test_dare_is_the_task_vector_on_average_and_seeded():
    tau = drawn(0, (12, 10))
    runs = [dense(merge([{"a": tau}], [1.0], Merge("dare", 0.3, seed=s))["a"]) for s in range(3000)]
    mean, spread = torch.stack(runs).mean(0), torch.stack(runs).std(0) / 3000**0.5
    assert ((mean - tau).abs() < 4.5 * spread).all()
    kept = torch.stack(runs)[:, tau != 0] != 0
    assert abs(float(kept.double().mean()) - 0.3) < 0.01
    for run in runs[:5]:
        at = run != 0
        torch.testing.assert_close(run[at], tau[at] / 0.3)
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    again = merge([{"a": tau}], [1.0], Merge("dare", 0.3, seed=1))["a"]
    assert torch.equal(dense(again), runs[1]) and torch.equal(torch.random.get_rng_state(), before)
    assert not torch.equal(runs[0], runs[1])


def test_a_density_of_one_prunes_nothing():
    deltas, weights = [{"a": drawn(n)} for n in range(3)], [1.0, 2.0, -0.5]
    plain = sum(w * d["a"] for w, d in zip(weights, deltas, strict=True))
    for name in ("sum", "dare", "magnitude"):
        how = Merge(name) if name == "sum" else Merge(name, 1.0)
        torch.testing.assert_close(merge(deltas, weights, how)["a"], plain)
    torch.testing.assert_close(merge(deltas, weights, Merge("mean"))["a"], plain / 3)


def test_what_is_sparse_stays_so_and_what_is_pruned_takes_less_room():
    thin = [{"a": sparse(drawn(n, (40, 40), 0.1))} for n in range(2)]
    assert isinstance(merge(thin, [1.0, 1.0], Merge())["a"], Sparse)
    whole = [{"a": drawn(n, (40, 40))} for n in range(2)]
    found = merge(whole, [1.0, 1.0], Merge("dare"))
    assert isinstance(found["a"], Sparse) and 0.1 < count(found) / 1600 < 0.28


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_task_arithmetic_is_that_of_state_dicts(kind, tmp_path):
    """θ + 0.8 τ₁ − 0.5 τ₂ over state dicts, each tied tensor once, and what transformers then says."""
    base, one, two = (tiny_base(tmp_path / name, kind, seed=seed) for seed, name in enumerate(("base", "one", "two")))
    pre, a, b = (load(path).model.state_dict() for path in (base, one, two))
    by_hand = load(base).model
    by_hand.load_state_dict({k: pre[k] + 0.8 * (a[k] - pre[k]) - 0.5 * (b[k] - pre[k]) for k in pre})
    vectors = [vector_between(locate(path), load(base)) for path in (one, two)]
    assert {vector.tie for vector in vectors} == {"tied"}
    ours = load(base).model
    apply_delta(ours, merge([v.delta for v in vectors], [0.8, -0.5], Merge()), 1.0, "tied")
    for name, tensor in ours.state_dict().items():
        torch.testing.assert_close(tensor, by_hand.state_dict()[name], rtol=1e-5, atol=1e-6)
    tuned = load(base).model
    apply_delta(tuned, vectors[0].delta)
    for name, tensor in tuned.state_dict().items():
        torch.testing.assert_close(tensor, a[name], rtol=1e-6, atol=1e-6)
