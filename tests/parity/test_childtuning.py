"""ChildTuning against its published code done over, a parameter at a time; with everything kept it is full training."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from training_fixtures import job as make_job

from fine_tuning.methods.childtuning import child
from fine_tuning.methods.table import parse_method
from fine_tuning.sparse.fisher import mean_squares
from fine_tuning.training.drawing import Drawn
from fine_tuning.training.schedule import Schedule
from fine_tuning.variants.delta import Sparse
from fine_tuning.variants.names import copy_of, parameters


def train(folder, text, **more):
    job = make_job(folder, **more)
    before = copy_of(job.loaded.model)
    made = parse_method(text).train(job)
    made.write(folder)
    return made, before, parameters(job.loaded.model), folder


@example([[0.0, 0.25], [0.0, 0.0, *[0.5] * 7]], 0.7)  # the percentile is rounded to the rank below
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 0.0, 1e-12, 0.5, 0.25, 3.0, 7.0]), min_size=1, max_size=9),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([0.05, 0.2, 0.3, 0.5, 0.7, 0.99, 1.0]),
)
def test_the_child_is_what_the_percentile_leaves(values, share):
    squares = {str(i): torch.tensor(some) for i, some in enumerate(values)}
    r = None
    for v in squares.values():  # as calculate_fisher has it
        r = v.numpy() if r is None else np.append(r, v.numpy())
    polar = np.percentile(r, (1 - share) * 100)
    masks = child(squares, share)
    assert all(np.array_equal(masks[name], v.numpy() >= polar) for name, v in squares.items())


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_the_information_is_that_of_a_loop_over_parameters(kind, clip, tmp_path):
    job = make_job(tmp_path, kind, dropout=0.0)
    model = job.loaded.model
    named = parameters(model)
    found = mean_squares(job, named, 2, 0, clip)
    rows, expected = job.examples.train, {name: torch.zeros_like(p) for name, p in named.items()}
    drawn, number = Drawn(rows, len(rows), 0), -(-len(rows) // 2)
    for first in range(0, len(rows), 2):
        batch = job.examples.collate([drawn[i] for i in range(first, min(first + 2, len(rows)))])
        model.zero_grad()
        scores, labels = (
            model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits,
            batch["labels"],
        )
        if kind == "gpt2":
            scores, labels = scores[:, :-1], labels[:, 1:]
        torch.nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), labels.reshape(-1)).backward()
        for name, p in named.items():
            if p.grad is not None:
                if clip:
                    torch.nn.utils.clip_grad_norm_(p, clip)
                expected[name] += p.grad**2 / number
    for name, squares in found.items():
        torch.testing.assert_close(squares, expected[name].detach(), rtol=1e-3, atol=1e-9)
    assert sum(float(squares.sum()) for squares in found.values()) > 0
    assert all(p.requires_grad for p in named.values()) and not model.training


@pytest.mark.parametrize("scope", ["published", "body"])
def test_d_leaves_all_but_the_child_bit_for_bit(scope, tmp_path):
    made, before, after, folder = train(tmp_path, f"childtuning-d(scope={scope},share=0.25)")
    from fine_tuning.variants.delta_file import read_delta

    delta = read_delta(folder)
    in_scope = {n for n in before if ("layer" in n if scope == "published" else n.startswith("bert."))}
    assert any("embeddings" in n for n in before.keys() - in_scope) == (scope == "published")
    size = sum(before[n].numel() for n in in_scope)
    assert made.config["of"] == size and abs(made.config["chosen"] - 0.25 * size) <= 1
    for name, p in after.items():
        part = delta.get(name)
        if name in in_scope:
            assert part is None or isinstance(part, Sparse)
            outside = torch.ones(p.numel(), dtype=torch.bool)
            if part is not None:
                outside[part.indices] = False
            assert torch.equal(p.detach().flatten()[outside], before[name].flatten()[outside])
        elif part is not None:
            assert not isinstance(part, Sparse)
            torch.testing.assert_close(before[name] + part, p.detach())
    assert sum(len(delta[n].values) for n in in_scope & delta.keys()) <= made.config["chosen"]


def test_d_with_decay_moves_everything_as_published(tmp_path):
    schedule = Schedule(steps=3, batch=2, rate=1e-3, decay=0.01)
    made, before, after, _ = train(tmp_path, "childtuning-d", schedule=schedule)
    matrix = "bert.encoder.layer.0.attention.self.query.weight"
    assert (after[matrix].detach() != before[matrix]).float().mean() > 0.9
    assert made.stored > 0.7 * made.trained


@pytest.mark.parametrize(
    "method", ["childtuning-f(share=1.0)", "childtuning-d(share=1.0)", "childtuning-d(share=1.0,clip=last)"]
)
def test_a_share_of_one_is_full_training(method, tmp_path):
    schedule = Schedule(steps=3, batch=2, rate=1e-3, clip=0.1)
    _, _, full, _ = train(tmp_path / "full", "full", schedule=schedule)
    _, _, child_, _ = train(tmp_path / "child", method, schedule=schedule)
    assert all(torch.equal(child_[name], p) for name, p in full.items())


def test_f_trains_everything_otherwise_than_full(tmp_path):
    schedule = Schedule(steps=3, batch=2, rate=1e-3)
    _, before, full, _ = train(tmp_path / "full", "full", schedule=schedule)
    made, _, child_, _ = train(tmp_path / "child", "childtuning-f(share=0.5)", schedule=schedule)
    matrix = "bert.encoder.layer.0.attention.self.query.weight"
    assert (child_[matrix] != before[matrix]).float().mean() > 0.8 and not torch.equal(child_[matrix], full[matrix])
    assert made.tie == "tied" and made.stored > 0.5 * made.trained
