"""The one training loop: what it makes, its order, its log, and that a kill changes nothing."""

import json

import numpy as np
import pytest
import torch
from training_fixtures import examples, job

from data_builders.errors import FactrootsError
from fine_tuning.methods.method import Schedule
from fine_tuning.training.drawing import Drawn
from fine_tuning.variants.names import copy_of, parameters


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_training_lowers_the_loss_and_is_the_same_twice(tmp_path, kind):
    made = []
    for name in "ab":
        work = job(tmp_path / name, kind, Schedule(steps=30, batch=3, rate=3e-3, warmup=0.1), every=10)
        before = copy_of(work.loaded.model)
        work.fit("train")
        made.append(copy_of(work.loaded.model))
        assert not same(before, made[-1]) and not work.loaded.model.training
    assert same(*made)
    lines = [json.loads(line) for line in (tmp_path / "a" / "train.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 31))
    assert [line["step"] for line in lines if "held_loss" in line] == [10, 20, 30]
    assert np.mean([line["loss"] for line in steps[-5:]]) < np.mean([line["loss"] for line in steps[:5]]) - 0.3
    assert work.phases["train"]["steps"] == 30 and work.phases["train"]["loss"] == lines[-2]["loss"]
