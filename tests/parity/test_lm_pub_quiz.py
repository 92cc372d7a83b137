"""LM-PUB-QUIZ 0.3.3 (MIT), an independent tool: its typed queries and its P@k against ours.

Its typed query counts special tokens as part of an answer and averages every answer token over every mask, so the two
agree where both are one: one-token answers under a tokenizer that adds no special tokens.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from probe_fixtures import tiny_model, wordpiece
from tokenizers import processors

from probe import metrics
from probe.scoring.encode import encode
from probe.scoring.masked import Grouped, MaskedScorer

TyQEvaluator = pytest.importorskip("lm_pub_quiz.evaluators.tyq_evaluator").TyQEvaluator
PrecisionAtK = pytest.importorskip("lm_pub_quiz.metrics.basic").PrecisionAtK

TEMPLATE = "the capital of [X] is [Y]."
SUBJECTS = ("Italia", "Par", "東京", "la", "Roma is")
ANSWERS = ("Roma", "Italia", "Par", "capital", "is", "la", "東")


def bare_wordpiece():
    """The tokenizer of our tests without [CLS] and [SEP]."""
    tokenizer = wordpiece()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("$A", special_tokens=[])
    return tokenizer


def _theirs(model, tokenizer):
    """Their evaluator, told to leave the first letter of a sentence as it is."""
    return TyQEvaluator.from_model(model, model_type="MLM", tokenizer=tokenizer, model_name="tiny", capitalize=False)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "modernbert"])
def test_typed_queries_agree(kind):
    tokenizer = bare_wordpiece()
    model = tiny_model(kind, tokenizer)
    theirs = _theirs(model, tokenizer)
    expected = [theirs.score_answers(template=TEMPLATE, answers=ANSWERS, subject=s) for s in SUBJECTS]
    candidates = Grouped(tokenizer(list(ANSWERS), add_special_tokens=False)["input_ids"])
    assert candidates.most == 1
    prompts = encode(tokenizer, [TEMPLATE.replace("[X]", s) for s in SUBJECTS], 1, 48)
    ours = MaskedScorer(model, tokenizer).score(prompts, candidates).logprob
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert (ours.argsort(axis=1) == np.argsort(expected, axis=1)).all()


def test_precision_at_k_agrees():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(50, 7))
    answers = generator.integers(0, 7, size=50)
    theirs = PrecisionAtK()
    theirs.reset()
    for row, answer in zip(scores, answers, strict=True):
        theirs.add_instance({"pll_scores": row.tolist(), "answer_idx": int(answer)})
    ranks = metrics.rank(scores, np.eye(7, dtype=bool)[answers])
    ours = [metrics.precision_at(k, ranks).mean() for k in range(1, 8)]
    np.testing.assert_allclose(ours, theirs.compute()["precision_at_k"], atol=1e-12)


def test_theirs_differs_where_answers_have_two_tokens():
    """Why the comparison stops at one token: with two, theirs is no mean over the diagonal."""
    tokenizer = bare_wordpiece()
    model = tiny_model("bert", tokenizer)
    theirs = _theirs(model, tokenizer)
    (value,) = theirs.score_answers(template=TEMPLATE, answers=["東京a"], subject="Par")
    ids = tokenizer(["東京a"], add_special_tokens=False)["input_ids"][0]
    prompt = encode(tokenizer, [TEMPLATE.replace("[X]", "Par")], len(ids), 48)
    ours = MaskedScorer(model, tokenizer).score(prompt, Grouped([ids])).logprob[0, 0] / len(ids)
    with torch.no_grad():
        sequence = torch.tensor([prompt[0].ids[-1]])
        logprob = model(sequence).logits[0].log_softmax(-1)[sequence[0] == tokenizer.mask_token_id]
    assert np.isclose(value, logprob[:, ids].mean().item(), atol=1e-5)
    assert np.isclose(ours, logprob[range(len(ids)), ids].mean().item(), atol=1e-5)
    assert not np.isclose(ours, value, atol=1e-3)
