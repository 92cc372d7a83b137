"""Training bottleneck adapters: presets, what learns and what does not, languages swapped beneath a task."""

import pytest
import torch
from adapter_fixtures import adapter_variant, drawn
from probe_fixtures import save_model
from safetensors.torch import load_file
from training_fixtures import examples, job
from variant_fixtures import logits

from data_builders.errors import FactrootsError
from fine_tuning.bottleneck.config import Config
from fine_tuning.bottleneck.placement import install, installed
from fine_tuning.methods.table import parse_method
from fine_tuning.models import load
from fine_tuning.training.loss import mean_loss
from fine_tuning.training.schedule import Schedule
from fine_tuning.training.tune import Tuning, tune
from fine_tuning.variants.applying import applied
from fine_tuning.variants.folder import read_variant
from fine_tuning.variants.names import copy_of


def held_loss(one, of):
    return mean_loss(one.loaded.model, of.train, of.collate, 4, one.loaded.family == "causal")


def test_presets_are_those_published():
    lang, task, houlsby = map(parse_method, ("madx-lang", "madx-task(drop-last)", "houlsby(reduction=8,leave-out=0;2)"))
    assert lang.config(12) == Config(reduction=2.0, activation="gelu_new", invertible=2.0)
    assert (lang.schedule.rate, lang.schedule.batch, lang.schedule.steps) == (1e-4, 64, 250_000)
    assert task.config(12) == Config(leave_out=(11,)) and task.schedule.rate == 1e-4
    assert houlsby.config(12) == Config("houlsby", 8.0, "swish", leave_out=(0, 2))
    for method in (lang, task, houlsby):
        assert parse_method(str(method)) == method
    for text, said in (
        ("pfeiffer(activation=sin)", "unknown activation"),
        ("pfeiffer(leave-out=last)", "leave-out takes numbers of layers, got last"),
        ("pfeiffer(residual=none)", "unknown residual"),
    ):
        with pytest.raises(FactrootsError, match=said):
            parse_method(text)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "gpt2", "gemma3"])
@pytest.mark.parametrize("text", ["houlsby(reduction=4)", "pfeiffer(reduction=4,init=mam_adapter)", "madx-lang"])
def test_adapters_learn_and_nothing_else_does(kind, text, tmp_path):
    one = job(tmp_path, kind, Schedule(steps=20, batch=3, rate=3e-2), dropout=0.0)
    model, method = one.loaded.model, parse_method(text)
    before, plain, loss = copy_of(model), logits(model), held_loss(one, one.examples)
    plan = method.plan(model, one.schedule)
    made = method.train(one)
    assert held_loss(one, one.examples) < loss - 0.02
    assert plan.trained == made.trained == made.stored == sum(p.numel() for p in installed(model)[0].parameters())
    assert made.kind == "bottleneck" and Config.from_json(made.config) == method.config(2)
    after = copy_of(model)
    assert all(torch.equal(after[name], p) for name, p in before.items())
    assert all(p.requires_grad for name, p in model.named_parameters() if not name.startswith("bottlenecks"))
    assert not torch.equal(logits(model), plain)
    (tmp_path / "out").mkdir()
    made.write(tmp_path / "out")
    weights = load_file(tmp_path / "out" / "adapter.safetensors")
    assert sum(t.numel() for t in weights.values()) == made.stored


def test_the_seed_decides(tmp_path):
    said = []
    for number, seed in enumerate((0, 0, 1)):
        one = job(tmp_path / str(number), schedule=Schedule(steps=3, batch=3, rate=1e-2), seed=seed)
        parse_method("madx-lang").train(one)
        said.append(logits(one.loaded.model))
    assert torch.equal(said[0], said[1]) and not torch.equal(said[0], said[2])


def test_a_training_that_fails_takes_its_adapters_out(tmp_path):
    one = job(tmp_path)
    plain = logits(one.loaded.model)

    def fail(*_, **__):
        raise RuntimeError("no more memory")

    one.fit = fail
    with pytest.raises(RuntimeError, match="no more memory"):
        parse_method("madx-lang").train(one)
    assert not installed(one.loaded.model) and torch.equal(logits(one.loaded.model), plain)
    assert all(p.requires_grad for p in one.loaded.model.parameters())


def test_a_task_upon_a_language(tmp_path):
    one = job(tmp_path / "job")
    with pytest.raises(FactrootsError, match=r"none; pass --model BASE\+LANG"):
        parse_method("madx-task").train(one)
    lang = drawn(one.loaded.model, invertible=2.0)
    install(one.loaded.model, lang)
    with pytest.raises(FactrootsError, match=r"write madx-lang\(invertible=0\)"):
        parse_method("madx-lang").plan(one.loaded.model, one.schedule)
    kept = {name: p.clone() for name, p in lang.state_dict().items()}
    made = parse_method("madx-task(reduction=4,drop-last)").train(one)
    assert all(torch.equal(p, kept[name]) for name, p in lang.state_dict().items())
    assert [Config.from_json(c) for c in made.config["beneath"]] == [lang.config]
    assert list(installed(one.loaded.model)[1].feed_forward) == ["0"]


def test_a_language_is_swapped_beneath_a_task(tmp_path):
    """From training to a folder to a model's one string, with other languages beneath."""
    one = job(tmp_path / "job").loaded
    base = str(save_model(tmp_path / "base", one.model, one.tokenizer))
    it, af = (adapter_variant(tmp_path / n, base, i, invertible=2.0).folder for i, n in enumerate(("it", "af")))
    tuning = Tuning(f"{base}+{it}", parse_method("madx-task(reduction=4)"), Schedule(steps=10, batch=3, rate=1e-2))
    task = tune(tuning, lambda loaded, _: examples(loaded), tmp_path / "task", quiet=True)
    assert [parent.name for parent in task.about.parents] == ["it"]
    assert task.about.base == read_variant(it).about.base  # the parent's adapters are no part of it
    assert task.about.config["beneath"][0]["invertible"] == 2.0
    said = {lang: logits(load(f"{base}+{lang}+{task.folder}").model) for lang in (it, af)}
    assert (said[it] - said[af]).abs().max() > 1e-3
    loaded = load(f"{base}+{af}")
    with applied(loaded.model, [(task, 1.0)]):
        assert torch.equal(logits(loaded.model), said[af])
    assert len(installed(loaded.model)) == 1
