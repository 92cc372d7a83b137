"""LT-SFT: K entries and no more, the rest as it was bit for bit, every way to choose them, and what is refused."""

from dataclasses import replace

import pytest
import torch
from training_fixtures import job as make_job

from data_builders.errors import FactrootsError
from fine_tuning.locating import locate
from fine_tuning.methods.lt_sft import LtSft
from fine_tuning.methods.table import METHODS, parse_method
from fine_tuning.models import load
from fine_tuning.sparse.entries import Entries
from fine_tuning.sparse.masks import MASKS, Ground, low_rank
from fine_tuning.sparse.scope import scope_of
from fine_tuning.training.drawing import Drawn
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.applying import apply_delta
from fine_tuning.variants.delta import Sparse, count, total
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.making import base_of
from fine_tuning.variants.names import copy_of, is_tied, parameters, untie
from tests.variant_fixtures import delta_variant, tiny_base

KINDS = ("bert", "xlm-roberta", "gpt2", "gemma3")


def trained(folder, method, kind="bert", **more):
    """A method's result, its delta as read from disk, the model as it was before and as it was left."""
    job = make_job(folder / "work", kind, **more)
    before = copy_of(job.loaded.model)
    made = (parse_method(method) if isinstance(method, str) else method).train(job)
    folder.mkdir(exist_ok=True)
    made.write(folder)
    return made, read_delta(folder), before, job


def logits(model, ids=None):
    ids = torch.arange(5, 12)[None] if ids is None else ids
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits


def same_bits(one, other):
    return torch.equal(one.detach().view(torch.int32), other.detach().view(torch.int32))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["lt-sft(k=97)", "lt-sft-task(k=97)", "lt-sft(k=97,rounds=3)"])
def test_exactly_k_entries_and_the_rest_bit_for_bit(method, kind, tmp_path):
    made, delta, before, job = trained(tmp_path / "v", method, kind)
    k = 96 if "rounds" in method else 97  # k // rounds in each
    assert made.stored == count(delta) == made.config["chosen"] - made.config["unchanged"]
    assert made.config == {"k": 97, "chosen": k, "unchanged": 0} and made.tie == "untied"
    model = job.loaded.model
    for name, p in parameters(model).items():
        if name not in before:  # the head's own copy of the embeddings
            assert p is model.get_output_embeddings().weight
            assert same_bits(p, before[next(n for n in before if "embed" in n or "wte" in n)])
            continue
        outside = torch.ones(p.shape, dtype=torch.bool)
        if name in delta:
            outside.view(-1)[delta[name].indices] = False
        assert torch.equal(p.detach()[outside].view(torch.int32), before[name][outside].view(torch.int32)), name
    assert all(isinstance(part, Sparse) and name.startswith(model.base_model_prefix) for name, part in delta.items())
    assert parse_method(method).plan(make_job(tmp_path, kind).loaded.model, job.schedule).stored == 97


@pytest.mark.parametrize("kind", KINDS)
def test_the_variant_makes_the_model_that_was_trained(kind, tmp_path):
    made, delta, _, job = trained(tmp_path / "v", "lt-sft(density=0.05)", kind)
    fresh = make_job(tmp_path, kind).loaded.model
    plain = logits(fresh)
    undo = apply_delta(fresh, delta, tie=made.tie)
    assert torch.equal(logits(fresh), logits(job.loaded.model)) and not torch.equal(logits(fresh), plain)
    undo()
    assert torch.equal(logits(fresh), plain)


@pytest.mark.parametrize("method", ["lt-sft(density=0.0)", "lt-sft-task(density=0.0)", "diffpruning(density=0.0)"])
def test_density_zero_changes_no_logit(method, tmp_path):
    made, delta, _, _ = trained(tmp_path / "v", method)
    fresh = make_job(tmp_path).loaded.model
    plain = logits(fresh)
    apply_delta(fresh, delta, tie=made.tie)
    assert not delta and torch.equal(logits(fresh), plain) and made.stored == 0


@pytest.mark.parametrize("kind", ["xlm-roberta", "gpt2"])
@pytest.mark.parametrize("l1", [0.0, 500.0])
def test_both_phases_are_those_of_a_plain_loop(kind, l1, tmp_path):
    schedule = Schedule(steps=4, batch=3, rate=1e-3, clip=0.5)
    method = LtSft(k=60, l1=l1, first=1.5)
    _, delta, before, _ = trained(tmp_path / "v", method, kind, schedule=schedule, dropout=0.0)
    reference = make_job(tmp_path / "r", kind, schedule=schedule, dropout=0.0)
    model = reference.loaded.model
    untie(model)
    body = {n: p for n, p in model.named_parameters() if n.startswith(model.base_model_prefix + ".")}
    norms = ("LayerNorm", "ln_", "norm")
    body = {n: p for n, p in body.items() if not any(word in n for word in norms)}
    size = sum(p.numel() for p in model.parameters())

    def fit(steps, masks):
        optimizer = torch.optim.AdamW(body.values(), lr=1e-3, weight_decay=0.0, foreach=False)
        drawn = Drawn(reference.examples.train, steps * 3, 0)
        model.train()
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = 1e-3 * (1 - step / steps)
            batch = reference.examples.collate([drawn[i] for i in range(3 * step, 3 * step + 3)])
            scores, labels = (
                model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits,
                batch["labels"],
            )
            if kind == "gpt2":
                scores, labels = scores[:, :-1], labels[:, 1:]
            loss = torch.nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), labels.reshape(-1))
            loss = loss + l1 / size * sum((p - before[n]).abs().sum() for n, p in body.items())
            model.zero_grad()
            loss.backward()
            for name, mask in masks.items():
                body[name].grad *= mask
            torch.nn.utils.clip_grad_norm_(body.values(), 0.5)
            optimizer.step()

    fit(6, {})
    moved = torch.cat([(p - before[n]).abs().flatten() for n, p in body.items()]).detach()
    flat = torch.zeros(len(moved), dtype=torch.bool)
    flat[moved.topk(60).indices] = True
    masks = cut(flat, body)
    with torch.no_grad():
        for name, p in body.items():
            p.copy_(before[name])
    fit(4, masks)
    assert count(delta) == 60
    for name, mask in masks.items():
        found = delta[name].dense() if name in delta else torch.zeros(mask.shape)
        torch.testing.assert_close(found, (body[name] - before[name]).detach(), rtol=1e-3, atol=2e-6)
        assert torch.equal(found != 0, mask)


@pytest.mark.parametrize("method", ["lt-sft(k=80,l1=50.0)", "childtuning-d", "diffpruning(l0=0.001)"])
def test_a_batch_in_parts_is_a_batch(method, tmp_path):
    found = []
    for parts in (1, 2):
        schedule = Schedule(steps=3, batch=2, accumulate=parts, rate=1e-3)
        more = {"schedule": schedule, "dropout": 0.0}
        if method.startswith("diffpruning"):  # gates are drawn for each part
            method = "diffpruning(alpha=40.0,alpha-rate=0.000001)"
        found.append(trained(tmp_path / str(parts), method, **more)[1])
    one, other = found
    for name in one.keys() | other.keys():
        a, b = (part[name].dense() if isinstance(part[name], Sparse) else part[name] for part in found)
        torch.testing.assert_close(a, b, rtol=2e-2, atol=2e-5)
        assert torch.equal(a != 0, b != 0)


def ground(kind="bert", seed=0, taken=None, spread=0.1):
    job = make_job(None, kind)
    scope = scope_of(job.loaded.model)
    start = {name: p.detach().clone() for name, p in scope.body.items()}
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in scope.body.values():
            p.add_(torch.randn(p.shape, generator=generator) * spread)
    squares = {name: torch.rand(p.shape, generator=generator) for name, p in scope.body.items()}
    return Ground(scope, start, taken or {}, seed, 0.5, lambda: squares)


def best(scores, k):
    flat = torch.cat([part.flatten() for part in scores.values()]).abs()
    mask = torch.zeros(len(flat), dtype=torch.bool)
    mask[flat.topk(k).indices] = True
    return cut(mask, scores)


def cut(flat, tensors):
    sizes = [tensor.numel() for tensor in tensors.values()]
    return {n: part.view(t.shape) for (n, t), part in zip(tensors.items(), flat.split(sizes), strict=True)}


def denoised(matrix, keep):
    u, s, v = torch.linalg.svd(matrix.double(), full_matrices=False)
    rank = int((s.square().cumsum(0) / s.square().sum() < keep).sum()) + 1
    return (u[:, :rank] * s[:rank] @ v[:rank]).float()


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
@pytest.mark.parametrize("name", [*MASKS])
def test_each_mask_is_what_its_name_says(name, kind):
    here = ground(kind)
    moved = {n: p.detach() - here.start[n] for n, p in here.scope.body.items()}
    matrices = {
        n: part
        for n, part in moved.items()
        if part.dim() == 2 and "embed" not in n and "wte" not in n and "wpe" not in n
    }
    k, found = 301, MASKS[name].choose(here, 301)
    assert sum(int(mask.sum()) for mask in found.values()) == k
    expected = {
        "change": lambda: best(moved, k),
        "lota": lambda: best(matrices, k),
        "deftx": lambda: best({n: denoised(p, 0.5) if p.dim() == 2 else p for n, p in moved.items()}, k),
        "magnitude": lambda: best(here.start, k),
        "fisher": lambda: best(here.squares(), k),
        "per-layer": lambda: {n: best({n: p}, int(found[n].sum()))[n] for n, p in moved.items()},
        "random": lambda: found,
    }[name]()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[n], expected[n]) for n in found)
    if name == "per-layer":
        assert all(abs(int(m.sum()) - k * m.numel() / here.scope.size) < 1 for m in found.values())
    again = MASKS[name].choose(here._replace(taken=found), k)
    assert not any((again[n] & found[n]).any() for n in again) and sum(int(m.sum()) for m in again.values()) == k


def test_random_masks_are_even_and_hang_on_the_seed():
    here = ground()
    one, same, other = (MASKS["random"].choose(here._replace(seed=seed), 2000) for seed in (0, 0, 1))
    flat = [torch.cat([m.flatten() for m in masks.values()]) for masks in (one, same, other)]
    assert torch.equal(flat[0], flat[1])
    size, share = here.scope.size, 2000 / here.scope.size
    assert abs(int((flat[0] & flat[2]).sum()) - size * share**2) < 4 * (size * share**2) ** 0.5
    for name, mask in one.items():
        assert abs(int(mask.sum()) - share * mask.numel()) < 5 * (share * mask.numel()) ** 0.5 + 1, name


@pytest.mark.parametrize("shape", [(40, 9), (9, 40), (12, 12)])
@pytest.mark.parametrize("keep", [0.3, 0.9, 1.0])
def test_the_leading_part_of_a_matrix_is_the_svds(shape, keep):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(low_rank(matrix, keep), denoised(matrix, keep), rtol=1e-4, atol=1e-5)
    assert not low_rank(torch.zeros(shape), keep).any()


def test_more_than_changed_is_said_and_nothing_changed_is_refused(tmp_path, monkeypatch):
    made, delta, *_ = trained(tmp_path / "v", "lt-sft(density=1.0)")
    assert made.config["k"] == 8208 > made.config["chosen"] >= count(delta)
    monkeypatch.setattr("fine_tuning.training.job.Job.fit", lambda *_, **__: None)
    with pytest.raises(FactrootsError, match="train longer"):
        trained(tmp_path / "w", "lt-sft")


def test_what_is_frozen_is_frozen(tmp_path):
    model = make_job(tmp_path, "xlm-roberta").loaded.model
    every, published, none = (scope_of(model, norms) for norms in ("all", "published", "none"))
    assert "roberta.embeddings.word_embeddings.weight" in every.body  # though the head is registered before
    assert not any("norm" in name.lower() for name in [*every.body, *every.head])
    assert {"lm_head.layer_norm.weight", "lm_head.layer_norm.bias"} == published.head.keys() - every.head.keys()
    assert none.body.keys() > published.body.keys() == every.body.keys()
    for scope in (every, none):
        assert not any(p is model.get_output_embeddings().weight for p in scope.head.values())
    _, delta, before, job = trained(tmp_path / "v", "lt-sft(no-freeze-head,norms=published)", "xlm-roberta")
    dense = {name for name, part in delta.items() if not isinstance(part, Sparse)}
    assert dense == published.head.keys()
    after = parameters(job.loaded.model)
    for name in dense:
        torch.testing.assert_close(before[name] + delta[name], after[name].detach())


def test_a_head_of_its_own_is_called_separate(tmp_path):
    job = make_job(tmp_path / "w")
    head = job.loaded.model.get_output_embeddings()
    head.weight = torch.nn.Parameter(head.weight.detach() * 2)
    assert LtSft(k=5).train(job).tie == "separate"


def test_what_is_trained_on_an_untied_model_is_untied_and_counts_the_bases_parameters(tmp_path):
    base = tiny_base(tmp_path / "base")
    size = sum(p.numel() for p in load(base).model.parameters())
    language = delta_variant(tmp_path / "l", base, {}, "untied")
    at, job = locate(f"{base}+{language.folder}"), make_job(tmp_path / "w")
    job.loaded = load(at)
    assert LtSft(k=5).train(job).tie == "untied"
    assert base_of(at, job.loaded).parameters == size == language.about.base.parameters


def test_language_and_task_add_up_in_either_order(tmp_path):
    language = trained(tmp_path / "l", "lt-sft(k=90)")[1]
    task = trained(tmp_path / "t", "lt-sft-task(k=90)", seed=4)[1]
    model = make_job(tmp_path).loaded.model
    before = copy_of(model)
    apply_delta(model, language, tie="untied")
    apply_delta(model, task, tie="untied")
    assert not is_tied(model)
    one, other = total([language, task]), total([task, language])
    for name, p in parameters(model).items():
        if name not in one:
            assert name not in before or torch.equal(p, before[name])
            continue
        assert torch.equal(one[name].dense(), other[name].dense())
        torch.testing.assert_close(p.detach(), before[name] + one[name].dense())


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("lt-sft(k=50)", Entries),
        ("childtuning-f", None),
        ("diffpruning", None),
        ("lt-sft(k=50,mask=fisher,samples=5)", Entries),
    ],
)
def test_broken_off_and_taken_up_again_it_ends_with_the_same_bytes(method, where, tmp_path, monkeypatch):
    from fine_tuning.sparse.callbacks import Thinned
    from fine_tuning.sparse.diff import Sparsity

    def bytes_of(folder, **more):
        trained(folder, method, **more)
        return (folder / "delta.safetensors").read_bytes()

    whole = bytes_of(tmp_path / "whole")
    acting = where or (Thinned if "child" in method else Sparsity)
    act = acting.on_pre_optimizer_step

    def stop(self, args, state, control, **kwargs):
        if state.global_step == 7:
            raise KeyboardInterrupt
        act(self, args, state, control, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(acting, "on_pre_optimizer_step", stop)
        with pytest.raises(KeyboardInterrupt):
            bytes_of(tmp_path / "broken")
    assert list((tmp_path / "broken" / "work").glob("*/checkpoint-*"))
    assert bytes_of(tmp_path / "broken") == whole
    assert bytes_of(tmp_path / "other", seed=1) != whole


@pytest.mark.parametrize("name", ["lt-sft", "lt-sft-task", "childtuning-f", "childtuning-d", "diffpruning"])
def test_texts_parse_back(name):
    plain = parse_method(name)
    assert str(plain) == name and name in METHODS
    other = replace(plain, **{"share": 0.5} if "child" in name else {"density": 0.125})
    assert parse_method(str(other)) == other != plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lt-sft(mask=best)", "unknown mask"),
        ("lt-sft(density=1.5)", "density"),
        ("lt-sft(rounds=0)", "rounds"),
        ("childtuning-f(share=0.0)", "share"),
        ("childtuning-d(scope=all)", "unknown scope"),
        ("childtuning-d(clip=never)", "unknown clip"),
        ("diffpruning(penalty=mine)", "unknown penalty"),
        ("diffpruning(density=-0.1)", "density"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(text, said):
    with pytest.raises(FactrootsError, match=said):
        parse_method(text)


@pytest.mark.parametrize(
    ("text", "said", "more"),
    [
        ("lt-sft(norms=some)", "unknown norms", {}),
        ("lt-sft(k=999999)", "could be chosen", {}),
        ("lt-sft(k=2,rounds=3)", "fewer rounds", {}),
        ("lt-sft", "--decay 0", {"schedule": Schedule(steps=2, batch=2, decay=0.01)}),
        ("childtuning-d", "scope=body", {"kind": "gpt2"}),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_training(text, said, more, tmp_path, monkeypatch):
    monkeypatch.setattr("fine_tuning.training.job.Job.fit", lambda *_, **__: pytest.fail("it trained"))
    with pytest.raises(FactrootsError, match=said):
        trained(tmp_path / "v", text, **more)
