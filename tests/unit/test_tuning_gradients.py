"""Callbacks on gradients: what is masked stays bit for bit, penalties are the formulas', draws hang on seed, step."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fine_tuning.sparse import callbacks
from fine_tuning.sparse.callbacks import Clipped, Masked, Thinned, TowardStart, Unscheduled
from fine_tuning.sparse.entries import Entries


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


@pytest.mark.parametrize("l1", [0.0, 30.0])
def test_a_step_of_the_entries_alone_is_a_masked_step_bit_for_bit(l1):
    def learned(compact):
        named = {"a": parameter(20, 13), "b": parameter(7, seed=5), "none": parameter(3, 2, seed=8)}
        draws = torch.Generator().manual_seed(3)
        masks = {name: torch.rand(p.shape, generator=draws) < 0.3 for name, p in named.items()}
        masks["none"][:] = False
        start = {name: p.detach() + torch.randn(p.shape, generator=draws) * 1e-3 for name, p in named.items()}
        entries = Entries(named, masks)
        trained, origin = ({"v": entries.values}, {"v": entries.of(start)}) if compact else (named, start)
        first = [entries] if compact else []
        last = [] if compact else [Masked(named, masks)]
        optimizer = torch.optim.AdamW(trained.values(), 1e-2, weight_decay=0.0, foreach=False, fused=False)
        for step in range(6):
            for i, p in enumerate(named.values()):
                p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(10 * step + i))
            named["none"].grad = None if step % 2 else named["none"].grad
            acted(*first, TowardStart(trained, origin, l1, 100), *last)
            optimizer.step()
            if compact:
                assert all(p.grad is None for p in named.values())
                entries.on_optimizer_step(None, None, None)
        moments = sum(state["exp_avg"].numel() for state in optimizer.state.values())
        return named, masks, moments

    (dense, masks, all_), (compact, _, few) = learned(False), learned(True)
    before = {"a": parameter(20, 13), "b": parameter(7, seed=5), "none": parameter(3, 2, seed=8)}
    for name, mask in masks.items():
        assert torch.equal(bits(dense[name]), bits(compact[name]))
        assert torch.equal(bits(compact[name])[~mask], bits(before[name])[~mask])
        assert (bits(compact[name])[mask] != bits(before[name])[mask]).all()
    assert few == sum(int(mask.sum()) for mask in masks.values()) < all_ / 2


def test_entries_are_read_from_others_and_put_where_they_belong():
    named = {"a": parameter(4, 3), "b": parameter(5, seed=2)}
    masks = {name: torch.arange(p.numel()).view(p.shape) % 3 == 1 for name, p in named.items()}
    entries, whole = Entries(named, masks), {name: p.detach().clone() for name, p in named.items()}
    wanted = torch.cat([whole[name][masks[name]] for name in named])
    assert torch.equal(entries.values, wanted) and torch.equal(entries.of(whole), wanted)
    with torch.no_grad():
        entries.values.copy_(torch.arange(len(wanted)))
    entries.put()
    assert torch.equal(entries.of(named), torch.arange(len(wanted)).float())
    assert all(torch.equal(p[~masks[name]], whole[name][~masks[name]]) for name, p in named.items())


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
