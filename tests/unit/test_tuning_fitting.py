"""The one training loop: what it makes, its order, its log, and that a kill changes nothing."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from training_fixtures import examples, job
from transformers import TrainerCallback

from data_builders.errors import FactrootsError
from fine_tuning.training.drawing import Drawn
from fine_tuning.training.schedule import PRECISIONS, Schedule
from fine_tuning.variants.names import copy_of, parameters


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_training_lowers_the_loss_and_is_the_same_twice(tmp_path, kind):
    made = []
    for name in "ab":
        work = job(tmp_path / name, kind, Schedule(steps=30, batch=3, rate=3e-3, warmup=0.1), every=10)
        use_cache, before = getattr(work.loaded.model.config, "use_cache", None), copy_of(work.loaded.model)
        work.fit("train")
        made.append(copy_of(work.loaded.model))
        assert not same(before, made[-1]) and not work.loaded.model.training
        assert getattr(work.loaded.model.config, "use_cache", None) == use_cache
    assert same(*made)
    written = lines(tmp_path / "a" / "train.jsonl")
    steps = [line for line in written if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 31))
    assert [line["step"] for line in written if "held_loss" in line] == [10, 20, 30]
    assert np.mean([line["loss"] for line in steps[-5:]]) < np.mean([line["loss"] for line in steps[:5]]) - 0.3
    assert [round(line["rate"] / 3e-3, 4) for line in steps[:4]] == [0, 0.3333, 0.6667, 1.0]
    assert work.phases["train"]["steps"] == 30 and work.phases["train"]["loss"] == steps[-1]["loss"]
    assert {p.name for p in (tmp_path / "a" / "train").iterdir()} == {"phase.json", "final.safetensors", "done.json"}


class Ended(Exception):
    pass


class Stop(TrainerCallback):
    """Ends a training after a step, by an exception or as the system does."""

    def __init__(self, step: int, how=None):
        self.step, self.how = step, how

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            if self.how:
                os.kill(os.getpid(), self.how)
            raise Ended


class Noise(TrainerCallback):
    """Adds noise of its own to gradients: a method whose state has to be kept."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(3)

    def on_pre_optimizer_step(self, args, state, control, model=None, **_):
        for p in model.parameters():
            p.grad.add_(torch.randn(p.shape, generator=self.generator), alpha=1e-3)

    def state_dict(self):
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state):
        self.generator.set_state(state["generator"])


SCHEDULE = Schedule(steps=20, batch=4, accumulate=2, rate=1e-3, warmup=0.2, decay=0.01)


@pytest.mark.parametrize("patience", [0, 20])
def test_a_broken_off_phase_ends_with_the_same_bytes(tmp_path, patience):
    def made(name, *stops):
        for stop in [*stops, None]:
            work = job(tmp_path / name, "bert", SCHEDULE, every=3, patience=patience)
            if stop:
                with pytest.raises(Ended):
                    # the same callbacks by name, as a killed process would have
                    work.fit("train", callbacks=[Noise(), Stop(stop)])
            else:
                work.fit("train", callbacks=[Noise(), Stop(0)])
        written = [{k: v for k, v in line.items() if k != "seconds"} for line in lines(work.folder / "train.jsonl")]
        return copy_of(work.loaded.model), written, (work.folder / "train" / "final.safetensors").read_bytes()

    whole = made("whole")
    for stops in ([1], [7], [9, 13], [20]):
        one = made("-".join(map(str, stops)), *stops)
        assert same(whole[0], one[0]) and whole[1:] == one[1:]


def test_a_killed_process_ends_with_the_same_bytes(tmp_path):
    def run(name: str, step: int) -> int:
        """Train in a process of its own, which the system ends after a step."""
        if not (child := os.fork()):
            job(tmp_path / name, "bert", SCHEDULE, every=3).fit("train", callbacks=[Stop(step, signal.SIGKILL)])
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert run("whole", 0) == 0
    assert run("killed", 13) == -signal.SIGKILL
    assert (tmp_path / "killed" / "train").is_dir() and not (tmp_path / "killed" / "train" / "done.json").exists()
    torn = tmp_path / "killed" / "train" / "checkpoint-15"  # as if it had been killed while writing
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"global_step": 1')
    assert run("killed", 0) == 0
    one, other = ((tmp_path / name / "train" / "final.safetensors").read_bytes() for name in ("whole", "killed"))
    assert one == other


def test_a_finished_phase_is_not_trained_again(tmp_path):
    work = job(tmp_path)
    work.fit("train")
    again = job(tmp_path)
    before = copy_of(again.loaded.model)
    again.fit("train", callbacks=[])
    assert same(copy_of(work.loaded.model), copy_of(again.loaded.model)) and not same(
        before, copy_of(work.loaded.model)
    )
    assert again.phases == work.phases
    for other, said in (
        (job(tmp_path, schedule=Schedule(steps=3)), "schedule"),
        (job(tmp_path, seed=1), "seed"),
        (job(tmp_path, "gpt2"), "parameters"),
    ):
        with pytest.raises(FactrootsError, match=f"its .*{said}.* differ"):
            other.fit("train")


def by_hand(work, schedule):
    """AdamW with a linear way up and down, a whole batch a step, the model's own loss."""
    model, data = work.loaded.model, work.examples
    model.train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": schedule.decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=schedule.rate, fused=False)
    drawn, up = Drawn(data.train, schedule.steps * schedule.batch, work.seed), schedule.warmup * schedule.steps
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * min(step / up, (schedule.steps - step) / (schedule.steps - up))
        batch = data.collate([drawn[step * schedule.batch + i] for i in range(schedule.batch)])
        optimizer.zero_grad()
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
        optimizer.step()
    return copy_of(model)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "gpt2", "llama"])
def test_the_weights_are_those_of_a_loop_by_hand_however_a_batch_is_cut(tmp_path, kind):
    wanted = by_hand(job(tmp_path, kind, dropout=0.0), SCHEDULE)
    for accumulate in (1, 2, 4):
        schedule = Schedule(**{**vars(SCHEDULE), "accumulate": accumulate})
        work = job(tmp_path / str(accumulate), kind, schedule, dropout=0.0)
        start = copy_of(work.loaded.model)
        work.fit("train")
        for name, p in parameters(work.loaded.model).items():
            torch.testing.assert_close(p.detach(), wanted[name], atol=1e-4, rtol=0)
        moved = max(float((p.detach() - start[name]).abs().max()) for name, p in parameters(work.loaded.model).items())
        assert moved > 5e-3


ROUNDED = replace(SCHEDULE, precision="bfloat16")


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "gpt2", "llama"])
def test_a_rounded_step_is_one_under_autocast_and_weights_stay_whole(tmp_path, kind):
    work, plain, hand = (job(tmp_path / name, kind, dropout=0.0) for name in "abc")
    work.schedule, plain.schedule = (Schedule(1, 4, rate=1e-3, clip=0.0, precision=p) for p in PRECISIONS[::-1])
    gradients = []

    class Seen(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model=None, **_):
            gradients.append({name: p.grad.clone() for name, p in parameters(model).items() if p.grad is not None})

    for one in (work, plain):
        one.fit("train", callbacks=[Seen()])
    model, drawn = hand.loaded.model.train(), Drawn(hand.examples.train, 4, 0)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(**(batch := hand.examples.collate([drawn[i] for i in range(4)]))).logits.float()
    labels = batch["labels"]
    scores, labels = (scores[:, :-1], labels[:, 1:]) if work.loaded.family == "causal" else (scores, labels)
    torch.nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten()).backward()
    rounded, whole = gradients
    for name, p in parameters(model).items():
        if p.grad is not None:
            scale = float(whole[name].abs().max())
            assert rounded[name].dtype == torch.float32
            torch.testing.assert_close(rounded[name], p.grad, rtol=0.02, atol=0.02 * scale + 1e-7)
            torch.testing.assert_close(rounded[name], whole[name], rtol=0.1, atol=0.1 * scale + 1e-6)
    assert not same(rounded, whole)
    assert {p.dtype for p in work.loaded.model.parameters()} == {torch.float32}
    ids = batch["input_ids"]
    with torch.no_grad():  # no rounding is left behind
        assert work.loaded.model(input_ids=ids).logits.dtype == torch.float32
        again = job(tmp_path / "d", kind, dropout=0.0).loaded.model
        again.load_state_dict(work.loaded.model.state_dict())
        assert torch.equal(again(input_ids=ids).logits, work.loaded.model(input_ids=ids).logits)


def test_a_rounded_training_learns_and_ends_with_the_same_bytes_broken_off_or_not(tmp_path):
    def made(name, stops, schedule=ROUNDED):
        for stop in [*stops, 0]:
            work = job(tmp_path / name, "bert", schedule, every=5)
            try:
                work.fit("train", callbacks=[Stop(stop)])
            except Ended:
                continue
        return work, (tmp_path / name / "train" / "final.safetensors").read_bytes()

    (_, whole), (_, again), (_, broken), (_, other) = (
        made("one", []),
        made("two", []),
        made("three", [7, 13]),
        made("four", [], SCHEDULE),
    )
    assert whole == again == broken != other
    long = made("long", [], Schedule(steps=60, batch=3, rate=3e-3, precision="bfloat16"))[0]
    losses = [line["loss"] for line in lines(tmp_path / "long" / "train.jsonl") if "loss" in line]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.5 and long.phases["train"]["held_loss"] > 0
    with pytest.raises(FactrootsError, match="its schedule differ"):
        job(tmp_path / "one", "bert", SCHEDULE, every=5).fit("train", callbacks=[Stop(0)])


class Doubled(TrainerCallback):
    """Makes gradients a thousandfold: what comes after must cut what this leaves."""

    def on_pre_optimizer_step(self, args, state, control, model=None, **_):
        for p in model.parameters():
            p.grad.mul_(1000)
        self.model = model

    def on_optimizer_step(self, args, state, control, **_):
        self.norm = torch.nn.utils.get_total_norm([p.grad for p in self.model.parameters()])


def test_the_gradient_is_cut_after_the_callbacks(tmp_path):
    callback = Doubled()
    work = job(tmp_path, schedule=Schedule(steps=2, clip=0.5))
    work.fit("train", callbacks=[callback])
    assert float(callback.norm) == pytest.approx(0.5, rel=1e-4)
    assert lines(tmp_path / "train.jsonl")[0]["norm"] > 100


def test_groups_have_rates_of_their_own_and_frozen_parameters_stay(tmp_path):
    work = job(tmp_path, dropout=0.0)
    model = work.loaded.model
    model.requires_grad_(False)
    head, extra = model.cls.predictions.bias.requires_grad_(True), torch.nn.Parameter(torch.ones(3))
    model.register_forward_hook(lambda _, __, out: setattr(out, "logits", out.logits * extra.sum() / 3) or out)
    before = copy_of(model)
    work.fit("train", groups=[{"params": [head], "lr": 1e-3}, {"params": [extra], "lr": 0.1, "weight_decay": 0.0}])
    after = copy_of(model)
    assert [name for name in after if not torch.equal(after[name], before[name])] == ["cls.predictions.bias"]
    assert (extra != 1).all() and (extra - 1).abs().max() < 12 * 0.11
    kept = extra.detach().clone()
    with torch.no_grad():
        extra.zero_()
        head.zero_()
    work.fit("train", groups=[{"params": [head], "lr": 1e-3}, {"params": [extra], "lr": 0.1, "weight_decay": 0.0}])
    assert torch.equal(extra, kept) and torch.equal(head, after["cls.predictions.bias"])


def test_the_best_is_kept_and_training_stops_when_it_is_not_beaten(tmp_path):
    work = job(tmp_path, schedule=Schedule(steps=400, batch=3, rate=3e-3), every=5, patience=3)
    work.fit("train")
    held = {line["step"]: line["held_loss"] for line in lines(tmp_path / "train.jsonl") if "held_loss" in line}
    best = min(held, key=held.get)
    assert max(held) == best + 15 < 400 and work.phases["train"]["kept"] == best
    short = job(tmp_path / "short", schedule=Schedule(steps=400, batch=3, rate=3e-3), every=5, patience=3)
    with pytest.raises(Ended):
        short.fit("train", callbacks=[Stop(best + 1)])
    (checkpoint,) = (tmp_path / "short" / "train").glob(f"checkpoint-{best}")
    from safetensors.torch import load_file

    assert same(load_file(checkpoint / "trained.safetensors"), load_file(tmp_path / "train" / "final.safetensors"))


def test_scores_are_asked_and_change_nothing(tmp_path):
    made = []
    for scores in ({}, {"P@1": lambda model: float(torch.rand(())), "none": lambda model: float("nan")}):
        work = job(tmp_path / str(len(scores)), scores=scores, every=4)
        work.fit("train")
        made.append(copy_of(work.loaded.model))
    assert same(*made)
    asked = [line for line in lines(tmp_path / "2" / "train.jsonl") if "P@1" in line]
    assert [line["step"] for line in asked] == [4, 8, 12] and {line["none"] for line in asked} == {None}
    assert work.phases["train"]["none"] is None and work.phases["train"]["P@1"] == asked[-1]["P@1"]


class Poison(TrainerCallback):
    def on_step_begin(self, args, state, control, model=None, **_):
        if state.global_step == 8:
            next(iter(model.parameters())).data.fill_(float("nan"))


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_step(tmp_path):
    with pytest.raises(FactrootsError, match=r"the loss is nan at step 9 of phase train; step 8 is kept.*--rate"):
        job(tmp_path).fit("train", callbacks=[Poison()])
    kept = tmp_path / "train" / "checkpoint-8" / "trained.safetensors"
    from safetensors.torch import load_file

    assert all(t.isfinite().all() for t in load_file(kept).values())
    assert not (tmp_path / "train" / "done.json").exists()


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(tmp_path, monkeypatch):
    import shutil

    from fine_tuning.training import fitter

    whole = job(tmp_path / "whole")
    whole.fit("train")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fitter.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(FactrootsError, match=r"cannot write .*checkpoint-2.*0.0 are free; make room"):
        job(tmp_path / "full").fit("train")
    monkeypatch.undo()

    def full(*_, **__):
        raise RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(FactrootsError, match="make room, and the same command goes on"):
        job(tmp_path / "full").fit("train")
    assert not list((tmp_path / "full" / "train").glob("checkpoint-*"))
    monkeypatch.undo()
    work = job(tmp_path / "full")
    work.fit("train")
    assert same(copy_of(work.loaded.model), copy_of(whole.loaded.model))


def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path):
    half, frozen, hidden = job(tmp_path), job(tmp_path), job(tmp_path, patience=2)
    half.loaded.model.bfloat16()
    frozen.loaded.model.requires_grad_(False)
    empty = job(tmp_path)
    empty.examples = examples(empty.loaded, sentences=())
    for work, said in (
        (half, "is bfloat16.*float32"),
        (frozen, "no parameter"),
        (hidden, "--patience needs"),
        (empty, "nothing to train on"),
    ):
        with pytest.raises(FactrootsError, match=said):
            work.fit("train")
    assert not (tmp_path / "train").exists()


def test_draws_have_every_row_once_an_epoch():
    drawn = Drawn([{"number": i} for i in range(7)], 21, seed=4)
    epochs = [[drawn[7 * e + i]["number"] for i in range(7)] for e in range(3)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs) and epochs[0] != epochs[1]
    assert [drawn[i]["draw"] for i in (0, 20)] == [0, 20]
    assert [Drawn(range(7), 21, seed=4)[i] for i in (20, 3)] == [epochs[2][6], epochs[0][3]]
