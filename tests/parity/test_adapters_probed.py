"""The prober with adapters on: its cuts are taken, and give what the whole model says."""

import numpy as np
import pytest
import torch
from adapter_fixtures import drawn, model_of
from causal_fixtures import Slow as SlowCausal
from probe_fixtures import LIMIT
from slow_scores import Slow

from fine_tuning.bottleneck.placement import install
from probe.scoring import decode, lookups, masked
from probe.scoring.blocks import Blocks
from probe.scoring.causal import CausalScorer
from probe.scoring.decode import DecodeScorer
from probe.scoring.left_to_right import LeftToRightScorer
from probe.scoring.masked import MaskedScorer
from probe.scoring.pseudo import PseudoScorer
from probe.scoring.scorer import Ask, Candidates, batches

ASKS = [Ask(text) for text in ("the capital of Italia is [Y].", "[Y] is la Par", "東京の首都は[Y]です。")]
LABELS = ["Roma", "Par", "東京", "Roma is", "a b c"]


def adapted(kind):
    """A tiny model with a language adapter and a task adapter on it, and its tokenizer."""
    model, tokenizer = model_of(kind)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.5)
    for config in ({"invertible": 2.0}, {"placement": "houlsby"}):
        install(model, drawn(model, **config))
    return model, tokenizer


def answers(scorer):
    candidates = Candidates(LABELS, scorer.tokenizer(LABELS, add_special_tokens=False)["input_ids"], "en")
    work, found = scorer.work(ASKS, candidates), {}
    for batch in batches(work, 500):
        found |= zip(batch, work.score(batch), strict=True)
    return [found[i] for i in range(len(ASKS))]


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "electra", "distilbert", "albert", "modernbert"])
def test_masks(kind):
    model, tokenizer = adapted(kind)
    scorer = MaskedScorer(model, tokenizer)
    assert scorer.halves is not None
    slow = Slow(model, tokenizer, LIMIT)
    for ask, answer in zip(ASKS, answers(scorer), strict=True):
        expected = [slow.score(ask.prompt, label) for label in LABELS]
        np.testing.assert_allclose(answer.logprob, expected, rtol=2e-6, atol=1e-5)


@pytest.mark.parametrize("way", [MaskedScorer, PseudoScorer, LeftToRightScorer, DecodeScorer])
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_every_way_is_as_with_the_model_run_whole(way, kind, monkeypatch):
    model, tokenizer = adapted(kind)
    fast = way(model, tokenizer)
    assert getattr(fast, "reader", fast).halves is not None
    for module in (decode, lookups, masked):
        monkeypatch.setattr(module, "cut", lambda *_: None)
    whole = way(model, tokenizer)
    assert getattr(whole, "reader", whole).halves is None
    for one, other in zip(answers(fast), answers(whole), strict=True):
        assert (one.logprob is None) == (other.logprob is None) == (way is DecodeScorer)
        if one.logprob is not None:
            np.testing.assert_allclose(one.logprob, other.logprob, rtol=2e-6, atol=1e-5)
        if one.argmax is not None:
            assert np.array_equal(one.argmax, other.argmax)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "gemma3_text"])
def test_causal(kind):
    model, tokenizer = adapted(kind)
    scorer = CausalScorer(model, tokenizer)
    assert scorer.model.tree and isinstance(scorer.model.head, Blocks)
    slow = SlowCausal(model, tokenizer)
    for ask, answer in zip(ASKS, answers(scorer), strict=True):
        expected = [slow.score(ask.prompt, label)[0] for label in LABELS]
        np.testing.assert_allclose(answer.logprob, expected, rtol=2e-6, atol=1e-5)
