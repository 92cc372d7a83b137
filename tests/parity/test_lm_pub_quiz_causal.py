"""LM-PUB-QUIZ 0.3.3 (MIT), an independent tool: its causal statement scores, summed and averaged, against ours."""

from __future__ import annotations

import numpy as np
import pytest
from causal_fixtures import TOKENIZERS, tiny_causal
from probe_fixtures import LIMIT

from probe.scoring.causal import CausalScorer
from probe.scoring.scorer import Ask, Candidates

Evaluator = pytest.importorskip("lm_pub_quiz").Evaluator

TEMPLATES = ("la capital of [X] is [Y].", "[Y] is la [X]", "[X]の首都は[Y]です。", "القاهرة [Y] [X]")
SUBJECTS = ("Italia", "東京", "a b")
ANSWERS = ("Roma", "Roma is", "東京都", "日本", "☃", "القاهرة", "R")


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("kind", ["gpt2", "llama", "gemma2", "opt", "falcon, alibi", "mamba"])
def test_statement_scores_agree(kind, name):
    """Sums and means over all tokens of a statement, also where [Y] stands first and where it ends no word."""
    tokenizer = TOKENIZERS[name](LIMIT)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token  # theirs pads, and would set it itself
    model = tiny_causal(kind, tokenizer)
    theirs = Evaluator.from_model(model, model_type="CLM", tokenizer=tokenizer, model_name="tiny", capitalize=False)
    candidates = Candidates(ANSWERS, tokenizer(list(ANSWERS), add_special_tokens=False)["input_ids"], "xx")
    asked = [(template, subject) for template in TEMPLATES for subject in SUBJECTS]
    asks = [Ask(template.replace("[X]", subject)) for template, subject in asked]
    answers = CausalScorer(model, tokenizer).work(asks, candidates).score(range(len(asks)))
    for (template, subject), answer in zip(asked, answers, strict=True):
        for reduction, ours in (("sum", answer.logprob), ("mean", answer.logprob / answer.count)):
            expected = theirs.evaluate_instance(
                template=template, answers=ANSWERS, subject=subject, reduction=reduction, batch_size=3
            )
            np.testing.assert_allclose(ours, expected, rtol=2e-6, atol=1e-4)
