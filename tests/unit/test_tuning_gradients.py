"""Callbacks on gradients: what is masked stays bit for bit, penalties are the formulas', draws hang on seed, step."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fine_tuning.sparse import callbacks
from fine_tuning.sparse.callbacks import Clipped, Masked, Thinned, TowardStart, Unscheduled


def acted(*all_, step=0, **kwargs):
    for one in all_:
        one.on_pre_optimizer_step(None, SimpleNamespace(global_step=step), None, **kwargs)


def parameter(*shape, seed=0):
    p = nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))
    p.grad = torch.randn(shape, generator=torch.Generator().manual_seed(seed + 1))
    return p


def bits(tensor):
    return tensor.detach().clone().view(torch.int32)


@pytest.mark.parametrize("kind", ["fused", "foreach", "loop"])
def test_masked_weights_stay_bit_for_bit_whatever_the_optimizer(kind, monkeypatch):
    monkeypatch.setattr(callbacks, "CHUNK", 7)
    p = parameter(20, 13)
    with torch.no_grad():  # zeros of both signs, and the smallest numbers there are
        p.view(-1)[:8] = torch.tensor([0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, 1e-30, -1e-30])
    mask = torch.rand(p.shape, generator=torch.Generator().manual_seed(3)) < 0.3
    mask.view(-1)[:8] = False
    before = bits(p)
    optimizer = torch.optim.AdamW([p], 1e-2, weight_decay=0.0, fused=kind == "fused", foreach=kind == "foreach")
    for step in range(5):
        p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(step)) - 3.0
        raw = p.grad.clone()
        acted(Masked({"p": p}, {"p": mask}))
        assert torch.equal(p.grad, raw * mask)
        acted(Clipped([p], 1.0))
        optimizer.step()
    assert torch.equal(bits(p)[~mask], before[~mask])
    assert (bits(p)[mask] != before[mask]).all()


def test_what_the_penalty_adds_is_what_autograd_says(monkeypatch):
    monkeypatch.setattr(callbacks, "CHUNK", 5)
    named = {"a": parameter(4, 3), "b": parameter(7, seed=9)}
    start = {name: p.detach() + torch.randn(p.shape) * 0.1 for name, p in named.items()}
    with torch.no_grad():
        start["a"][0] = named["a"][0]  # where nothing has changed there is no slope
    size, strength = 1000, 0.3
    loss = strength * sum((p - start[name]).abs().sum() for name, p in named.items()) / size
    expected = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
    raw = {name: p.grad.clone() for name, p in named.items()}
    acted(TowardStart(named, start, strength, size))
    for name, p in named.items():
        torch.testing.assert_close(p.grad, raw[name] + expected[name])
    assert torch.equal(named["a"].grad[0], raw["a"][0])


def test_thinned_gradients_are_kept_by_chance_and_right_on_average():
    share, totals, kept = 0.3, torch.zeros(40, 50), 0
    ones = parameter(40, 50)
    for step in range(300):
        ones.grad = torch.ones(40, 50)
        acted(Thinned([ones], share, seed=4), step=step)
        assert set(ones.grad.unique().tolist()) <= {0.0, torch.tensor(1 / share).item()}
        totals += ones.grad
        kept += int(ones.grad.count_nonzero())
    n = totals.numel() * 300
    assert abs(kept / n - share) < 4 * (share * (1 - share) / n) ** 0.5
    assert abs(totals.mean() / 300 - 1) < 0.01


def test_draws_hang_on_the_seed_and_the_step_and_on_nothing_else():
    def drawn(seed, step, before=0):
        p, q = parameter(30, seed=1), parameter(30, seed=2)
        torch.manual_seed(before)
        acted(Thinned([p, q], 0.5, seed), step=step)
        return p.grad != 0, q.grad != 0

    one = drawn(0, 5)
    assert all(torch.equal(a, b) for a, b in zip(one, drawn(0, 5, before=77), strict=True))
    assert not torch.equal(*one)
    for other in (drawn(1, 5), drawn(0, 6), drawn(5, 0)):
        assert not torch.equal(one[0], other[0])


def test_clipping_first_or_last_is_not_the_same():
    share = 0.5
    first, last = parameter(200), parameter(200)
    acted(Clipped([first], 1.0), Thinned([first], share, 0))
    acted(Thinned([last], share, 0), Clipped([last], 1.0))
    assert last.grad.norm().item() == pytest.approx(1, abs=1e-5) and first.grad.norm() > 1.1
    cosine = torch.nn.functional.cosine_similarity(first.grad, last.grad, dim=0)
    assert cosine.item() == pytest.approx(1, abs=1e-5)
    unlimited = parameter(200)
    raw = unlimited.grad.clone()
    acted(Clipped([unlimited], 0.0))
    assert torch.equal(unlimited.grad, raw)


def test_a_rate_that_no_schedule_moves():
    p, q = parameter(3), parameter(2)
    optimizer = torch.optim.AdamW([{"params": [p]}, {"params": [q], "lr": 0.1}], lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / 4)
    for _ in range(3):
        acted(Unscheduled([q], 0.1), optimizer=optimizer)
        assert optimizer.param_groups[1]["lr"] == 0.1
        optimizer.step()
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 / 4)


def test_what_got_no_gradient_is_passed_over():
    p = nn.Parameter(torch.ones(3))
    acted(Masked({"p": p}, {"p": torch.ones(3, dtype=torch.bool)}), Thinned([p], 0.5, 0))
    acted(TowardStart({"p": p}, {"p": torch.zeros(3)}, 1.0, 3))
    assert p.grad is None
