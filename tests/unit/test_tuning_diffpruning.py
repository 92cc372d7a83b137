"""DiffPruning: the gates in closed form, gradients as the authors write them out, three stages, K entries."""

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrize
from training_fixtures import job as make_job

from data_builders.errors import FactrootsError
from fine_tuning.methods.table import parse_method
from fine_tuning.sparse.diff import Difference, Sparsity, differing
from fine_tuning.sparse.hard_concrete import mean, median, open_probability, sample
from fine_tuning.sparse.scope import scope_of
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import Sparse, count
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.names import copy_of, parameters, untie

ALPHAS = (-6.0, -1.0, -0.2, 0.0, 1e-5, 0.3, 2.0, 5.0)


@pytest.mark.parametrize("ends", [(-1.5, 1.5), (-0.1, 1.1), (-0.5, 2.0)])
def test_expectations_are_those_of_many_draws_and_of_the_integral(ends):
    torch.manual_seed(0)
    alpha, n = torch.tensor(ALPHAS), 200_000
    draws = sample(alpha.expand(n, -1), *ends)
    assert draws.min() == 0 and draws.max() == 1
    chance = open_probability(alpha, *ends)
    spread = 4 * (chance * (1 - chance) / n).sqrt() + 2e-4  # u is kept 1e-4 from its ends
    assert ((draws > 0).float().mean(0) - chance).abs().le(spread).all()
    assert (draws.mean(0) - mean(alpha, *ends)).abs().le(4 * draws.std(0) / n**0.5 + 2e-4).all()
    u = (np.arange(2_000_000) + 0.5) / 2_000_000
    for a, found in zip(ALPHAS, mean(alpha.double(), *ends), strict=True):
        s = 1 / (1 + np.exp(-(np.log(u) - np.log1p(-u) + a)))
        assert float(found) == pytest.approx(np.clip(s * (ends[1] - ends[0]) + ends[0], 0, 1).mean(), abs=1e-6)
        assert float(median(torch.tensor(a).double(), *ends)) == pytest.approx(
            np.clip(ends[0] + (ends[1] - ends[0]) / (1 + np.exp(-a)), 0, 1)
        )


def test_the_gates_of_diffpruning_open_as_a_sigmoid_says():
    alpha = torch.linspace(-8, 8, 33)
    torch.testing.assert_close(open_probability(alpha), torch.sigmoid(alpha))  # log(1.5 / 1.5) is 0


@pytest.mark.parametrize("structured", [True, False])
def test_gradients_are_those_that_the_authors_write_out(structured):
    start = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    one = Difference(start, 0.4, structured).train()
    with torch.no_grad():
        one.change.normal_(generator=torch.Generator().manual_seed(2))
        one.alpha.normal_(0, 2, generator=torch.Generator().manual_seed(3))
    upstream = torch.randn(5, 4, generator=torch.Generator().manual_seed(4))
    torch.manual_seed(7)
    (one(start) * upstream).sum().backward()
    torch.manual_seed(7)  # concrete_stretched, with the same draws in the same order

    def stretched(alpha):
        u = torch.empty_like(alpha).uniform_().clamp_(0.0001, 0.9999)
        s = torch.sigmoid(u.log() - (1 - u).log() + alpha)
        wide = s * 3.0 - 1.5
        z = wide.clamp(0, 1)
        return z, ((wide > 0) & (wide < 1)).float() * 3.0 * s * (1 - s)

    with torch.no_grad():
        z, slope = stretched(one.alpha)
        group, group_slope = stretched(one.group) if structured else (torch.tensor(1.0), None)
        torch.testing.assert_close(one.change.grad, upstream * z * group)
        torch.testing.assert_close(one.alpha.grad, upstream * one.change * group * slope)
        if structured:
            torch.testing.assert_close(one.group.grad, (upstream * one.change * z).sum() * group_slope)


@pytest.mark.parametrize("structured", [True, False])
@pytest.mark.parametrize("penalty", ["paper", "repo"])
def test_the_penalty_in_closed_form_is_what_autograd_says(penalty, structured):
    made = {name: Difference(torch.zeros(shape), 0.3, structured) for name, shape in {"a": (3, 4), "b": (5,)}.items()}
    gates = [gate for one in made.values() for gate in one.gates]
    with torch.no_grad():
        for i, gate in enumerate(gates):
            gate.add_(torch.randn(gate.shape, generator=torch.Generator().manual_seed(i)))
    whole = 0.0
    for one in made.values():
        each = torch.sigmoid(one.alpha).sum()
        group = torch.sigmoid(one.group) if structured else torch.tensor(1.0)
        whole = whole + (each * group if penalty == "paper" or not structured else each + group)
    expected = torch.autograd.grad(0.01 * whole, gates)
    gates[0].grad = torch.ones_like(gates[0])  # is added to; of the others there is none yet
    Sparsity(made, 0.01, penalty).on_pre_optimizer_step(None, None, None)
    torch.testing.assert_close(gates[0].grad - 1, expected[0], atol=1e-6, rtol=1e-4)
    for gate, slope in zip(gates[1:], expected[1:], strict=True):
        torch.testing.assert_close(gate.grad, slope)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "gemma3"])
def test_the_model_is_as_it_was_before_and_after(kind, tmp_path):
    model = make_job(tmp_path, kind).loaded.model
    untie(model)
    ids = torch.arange(5, 11)[None]
    names, before, objects = scope_of(model).body, copy_of(model), parameters(model)
    plain = model(input_ids=ids).logits
    with pytest.raises(RuntimeError), differing(model, names, 5.0, True) as made:
        assert torch.equal(model.eval()(input_ids=ids).logits, plain)  # all changes are zero
        with torch.no_grad():
            for one in made.values():
                one.change.fill_(0.05)
        assert not torch.equal(model(input_ids=ids).logits, plain)
        torch.testing.assert_close(model(input_ids=ids).logits, model(input_ids=ids).logits, rtol=0, atol=0)
        model.train()
        assert not torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)  # gates are drawn anew
        raise RuntimeError("in the middle")
    assert not any(parametrize.is_parametrized(module) for module in model.modules())
    assert not parametrize._cache_enabled
    after = parameters(model)
    assert after.keys() == objects.keys() and all(after[name] is objects[name] for name in after)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert torch.equal(model.eval()(input_ids=ids).logits, plain)


@pytest.mark.parametrize("more", ["", ",no-structured", ",penalty=repo", ",no-freeze-head"])
def test_exactly_k_entries_and_the_rest_bit_for_bit(more, tmp_path):
    job = make_job(tmp_path, "xlm-roberta", schedule=Schedule(steps=4, batch=2, rate=1e-3))
    model = job.loaded.model
    before = copy_of(model)
    made = parse_method(f"diffpruning(density=0.01{more})").train(job)
    made.write(tmp_path)
    delta, body = read_delta(tmp_path), {n for n in before if n.startswith("roberta.")}
    k = int(0.01 * sum(before[n].numel() for n in body))
    assert made.config == {"k": k, "chosen": k, "unchanged": 0} and made.tie == "untied"
    assert count({n: part for n, part in delta.items() if n in body}) == k
    after = parameters(model)
    for name, tensor in before.items():
        part = delta.get(name)
        assert name in body or (part is None) == (more != ",no-freeze-head")
        if part is None or isinstance(part, Sparse):
            outside = torch.ones(tensor.numel(), dtype=torch.bool)
            if part is not None:
                outside[part.indices] = False
            assert torch.equal(after[name].detach().flatten()[outside], tensor.flatten()[outside])
    head = model.get_output_embeddings().weight
    assert torch.equal(head, before["roberta.embeddings.word_embeddings.weight"])


def test_closed_gates_leave_nothing_and_say_so(tmp_path):
    schedule = Schedule(steps=2, batch=2, rate=1e-3)
    with pytest.raises(FactrootsError, match="every gate closed"):
        parse_method("diffpruning(alpha=-30.0)").train(make_job(tmp_path, schedule=schedule))


def test_a_strong_penalty_closes_gates(tmp_path):
    found = []
    for strength in ("0.0", "10.0"):
        job, seen = make_job(tmp_path / strength, schedule=Schedule(steps=6, batch=2, rate=1e-3)), []
        fit = job.fit

        def watching(phase, *args, fit=fit, seen=seen, job=job, **kwargs):
            fit(phase, *args, **kwargs)
            if phase == "diff":
                seen += [
                    m.alpha.detach().mean().item() for m in job.loaded.model.modules() if isinstance(m, Difference)
                ]

        job.fit = watching
        parse_method(f"diffpruning(l0={strength},density=0.01)").train(job)
        found.append(sum(seen) / len(seen))
    assert found[1] < found[0] - 0.3 and found[0] > 4.5
