"""The loss at the asked places alone against the models' own loss and gradients."""

import pytest
import torch
from causal_fixtures import ARCHITECTURES as CAUSAL
from causal_fixtures import byte_level, tiny_causal
from probe_fixtures import ARCHITECTURES as MASKED
from probe_fixtures import tiny_model, wordpiece

from fine_tuning.training.loss import mean_loss, summed_loss

KINDS = [("masked", kind) for kind in MASKED] + [
    ("causal", kind)
    for kind in CAUSAL
    if kind.partition(",")[0] in ("gpt2", "llama", "gemma2", "gemma3", "opt", "bloom")
]


@pytest.mark.parametrize(("family", "kind"), KINDS)
def test_loss_and_gradients_are_the_models_own(family, kind):
    tokenizer = wordpiece() if family == "masked" else byte_level()
    model = (tiny_model if family == "masked" else tiny_causal)(kind, tokenizer).eval()
    ids = torch.randint(5, len(tokenizer), (3, 9), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    labels[torch.rand(3, 9, generator=torch.Generator().manual_seed(2)) < 0.6] = -100
    labels[0] = -100  # nothing is asked of this one
    attention = torch.ones_like(ids)
    attention[2, 7:] = 0
    labels[2, 7:] = -100
    batch = {"input_ids": ids, "attention_mask": attention, "labels": labels}
    wanted = model(**batch).loss
    wanted.backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    loss, n = summed_loss(model, batch, family == "causal")
    (loss / n).backward()
    assert n == int((labels[:, 1:] if family == "causal" else labels).ne(-100).sum())
    torch.testing.assert_close(loss / n, wanted)
    for name, grad in grads.items():
        own = dict(model.named_parameters())[name].grad
        torch.testing.assert_close(own, grad, atol=1e-5 * max(1.0, float(grad.abs().max())), rtol=1e-4)
    rows = [{"ids": i} for i in range(3)]
    mean = mean_loss(
        model, rows, lambda some: {k: v[[r["ids"] for r in some]] for k, v in batch.items()}, 2, family == "causal"
    )
    assert mean == pytest.approx(float(wanted.detach()), rel=1e-5)
