"""`bear` from fact set to P@1 against LM-PUB-QUIZ 0.3.3 (MIT) as it comes: with capital letters, over all templates."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from causal_fixtures import byte_level, tiny_causal
from probe_fixtures import LIMIT, fact, loaded, probed, tiny_model, wordpiece, write_facts
from slow_scores import candidates_of

from probe import passes
from probe.protocols import Protocol
from probe.scores import score

Evaluator = pytest.importorskip("lm_pub_quiz").Evaluator

TEMPLATES = ["[Y] is the capital of [X].", "[X] la [Y]", "the capital of [X] is [Y]."]
ROWS = [
    fact("P36", subject, answer)
    for subject, answer in [("la", "of"), ("Italia", "capital is"), ("the a", "roma"), ("par", "is"), ("lima", "à")]
]


def both():
    tokenizer = byte_level(LIMIT)
    tokenizer.pad_token = tokenizer.eos_token
    yield "causal", "sentence", tiny_causal("gpt2", tokenizer), tokenizer, {"model_type": "CLM"}
    tokenizer = wordpiece()
    yield "masked", "pseudo(metric=within_word_l2r)", tiny_model("bert", tokenizer), tokenizer, {"model_type": "MLM"}


@pytest.mark.parametrize(("family", "scoring", "model", "tokenizer", "theirs"), list(both()), ids=["causal", "masked"])
def test_whole_runs_agree(family, scoring, model, tokenizer, theirs, tmp_path):
    """Every candidate's score, and P@1 over all facts and templates; without capitals some differ."""
    facts = write_facts(tmp_path / "facts", {"en": ROWS}, {"en": {"P36": TEMPLATES}})
    one = loaded(model, tokenizer)._replace(family=family)
    with_capital = passes.needed(Protocol.parse("bear"), family, ("en",))
    store = probed(tmp_path / "run", f"{facts}(templates=all)", one, with_capital)
    labels = [row["label"] for row in candidates_of(store, "en")["P36"]]
    evaluator = Evaluator.from_model(model, tokenizer=tokenizer, model_name="tiny", **theirs)
    plain = probed(tmp_path / "plain", f"{facts}(templates=all)", one, scoring)
    hits, differ = [], 0
    for row, uncapitalised in zip(*(pq.read_table(s.items("en")).to_pylist() for s in (store, plain)), strict=True):
        if not row["facts"]:
            continue
        template, subject = TEMPLATES[row["template"]], row["subject"]
        expected = evaluator.score_answers(template=template, answers=labels, subject=subject, reduction="sum")
        np.testing.assert_allclose(row["logprob"], expected, rtol=2e-6, atol=1e-4)
        hits.append(int(np.argmax(expected)) == row["golds"][0])
        differ += not np.allclose(row["logprob"], uncapitalised["logprob"], atol=1e-3)
    assert len(hits) == len(ROWS) * len(TEMPLATES) and differ
    assert score(store, Protocol.parse("bear")).value == pytest.approx(np.mean(hits))
