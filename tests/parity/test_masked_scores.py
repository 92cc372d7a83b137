"""The fast scorer against the slow one, over architectures, tokenizers, scripts and labels made to trip it."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from probe_fixtures import (
    ALPHABET,
    ARCHITECTURES,
    LIMIT,
    TOKENIZERS,
    fact,
    loaded,
    probed,
    tiny_model,
    unigram,
    wordpiece,
    write_facts,
)
from slow_scores import Slow, candidates_of, compare

from data_builders.errors import FactrootsError
from probe.scoring import masked, vocabulary
from probe.scoring.encode import encode
from probe.scoring.masked import Grouped, MaskedScorer

TEMPLATES = {
    "P36": "the capital of [X] is [Y].",
    "P19": "[Y] ([X])",
    "P30": "[X]の首都は[Y]です。",
    "P17": "القاهرة [Y] مصر [X]",
    "P47": "กรุง[X]เทพ[Y]ไทย",
}
#: Subjects and objects that something could take for grammar, cannot spell, or joins to its neighbour.
TRICKY = [
    "[MASK]", "<mask>", "a<mask>b", "[Y]", "[X]", "[X] [Y]", "\\1", "(.*)+[a-z]", "$^", "☃", "a☃", "Ж", "▁", "##is",
    "東京都 日本", "القاهرة", "مصر الق", "ישראל", "กรุงเทพ", "Roma", "Roma Roma Italia", "a b c d e", " x ", "x\u3000x",
    "\x07", "\u200b", "日", "ﾊ", "e\u0301", "capital is the of", "[SEP]", "</s>",
]  # fmt: skip
LABELS = st.one_of(
    st.sampled_from(TRICKY),
    st.text(ALPHABET + " ☃", min_size=1, max_size=6).filter(str.strip),
    st.text(min_size=1, max_size=3).filter(lambda text: text.strip() and text.isprintable()),
)
QUESTIONS = st.dictionaries(
    st.tuples(st.sampled_from(sorted(TEMPLATES)), LABELS),
    st.lists(LABELS, min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """The vocabulary met in several blocks, small as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "BLOCK", 50)
        yield


def speak(relation: str, subject: str) -> str:
    before, after = TEMPLATES[relation].split("[X]")
    return before + subject + after


def rows_of(questions: dict[tuple[str, str], list[str]]) -> list[dict]:
    """Facts of these questions; every answer is an entity of its own, so that equal labels are namesakes."""
    return [
        fact(relation, subject, answer, object_uri=f"O{number}.{place}")
        for number, ((relation, subject), answers) in enumerate(questions.items())
        for place, answer in enumerate(answers)
    ]


def compared(model, tokenizer, rows: list[dict]) -> tuple[int, int]:
    """Run `rows` through the prober and compare; returns how many questions were asked and not asked."""
    with tempfile.TemporaryDirectory() as folder:
        facts = write_facts(Path(folder) / "facts", {"xx": rows}, {"xx": TEMPLATES})
        store = probed(Path(folder) / "run", facts, loaded(model, tokenizer))
        return compare(store, "xx", Slow(model, tokenizer, LIMIT), speak)


MODELS = {name: tiny_model("xlm-roberta" if "unigram" in name else "bert", make()) for name, make in TOKENIZERS.items()}


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=40, deadline=None)
@given(questions=QUESTIONS)
@example({("P36", "Italia"): ["Roma", "Roma", "☃", "☃☃"], ("P30", "東京"): ["日本東京都", "日", "กรุงเทพ"]})
@example(
    {("P36", "[Y]"): ["Roma"], ("P36", "a<mask>b"): ["a"], ("P36", "[MASK]"): ["b b b"], ("P19", "x " * 60): ["a"]}
)
@example({("P36", "a"): ["\x07"], ("P17", "مصر"): ["القاهرة", "ישראל", "\u200b"], ("P47", "กรุงเทพ"): ["ไทย", "x"]})
def test_any_fact_set(name, questions):
    """Every score, order and argmax of a run, and what could not be asked, is what the slow way gives."""
    compared(MODELS[name], TOKENIZERS[name](), rows_of(questions))


#: Answers of one to five tokens, two of one spelling, one unknown; prompts of several lengths in three scripts.
FIXED = {
    ("P36", "Italia"): ["Roma", "Par", "Lima"],
    ("P36", "Par is the of la Roma a b c"): ["Tunis"],
    ("P36", "a"): ["Roma", "☃"],
    ("P30", "東京"): ["日本", "東京"],
    ("P17", "مصر"): ["القاهرة", "مصر الق"],
}


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_architecture(kind):
    """The cut, where there is one, gives the whole model's numbers; which are cut is known and stays so."""
    for tokenizer in (wordpiece(), unigram(False)):
        model = tiny_model(kind, tokenizer, seed=1)
        assert (MaskedScorer(model, tokenizer).halves is not None) == ARCHITECTURES[kind][1]
        assert compared(model, tokenizer, rows_of(FIXED)) == (5, 0)


def test_what_cannot_be_asked_says_why(tmp_path):
    """A mask or slot in the subject, a prompt beyond the limit and an object without tokens each have their reason."""
    tokenizer = wordpiece()
    rows = rows_of({("P36", s): ["Roma"] for s in ("[MASK]", "[Y]", "x " * 60, "Italia")} | {("P36", "Par"): ["\x07"]})
    facts = write_facts(tmp_path / "facts", {"xx": rows}, {"xx": TEMPLATES})
    store = probed(tmp_path / "run", facts, loaded(tiny_model("bert", tokenizer), tokenizer))
    items = {row["subject"]: row for row in pq.read_table(store.items("xx")).to_pylist()}
    assert items["[MASK]"]["fault"] == items["[Y]"]["fault"] == "the prompt holds a mask or a slot of its own"
    assert items["x " * 60]["fault"] == f"the prompt is longer than the model's {LIMIT} tokens"
    assert items["Italia"]["fault"] is None
    nothing = [place for place, c in enumerate(candidates_of(store, "xx")["P36"]) if not c["tokens"]]
    assert items["Par"]["golds"] == nothing and np.isnan(items["Italia"]["logprob"])[nothing].all()
    assert Counter(np.isnan(items["Italia"]["logprob"]))[True] == 1


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_exact(over):
    """A prompt that fills all of the model's positions is asked; one token more is not."""
    tokenizer = unigram(True)
    model = tiny_model("xlm-roberta", tokenizer)  # its two first positions are for padding
    subject = " ".join(["Roma"] * (LIMIT - 10 + over))
    assert len(tokenizer(speak("P36", subject).replace("[Y]", "<mask> <mask>"))["input_ids"]) == LIMIT + over
    assert compared(model, tokenizer, rows_of({("P36", subject): ["Roma Roma"]})) == (1 - over, over)


def prompts_of(tokenizer) -> list:
    texts = [speak(relation, "Roma " * n) for n in range(1, 6) for relation in TEMPLATES]
    return encode(tokenizer, texts, 3, LIMIT)


CHOICE = Grouped([[10], [11, 12], [13, 14, 15], [10, 11]])


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "fnet", "convbert", "nystromformer", "mobilebert", "luke"])
def test_company_does_not_matter(kind, monkeypatch):
    """A prompt's scores are the same alone and among others, also where an architecture lets padding through."""
    tokenizer = wordpiece()
    scorer = MaskedScorer(tiny_model(kind, tokenizer), tokenizer)
    prompts = prompts_of(tokenizer)
    alone = [scorer.score([prompt], CHOICE) for prompt in prompts]
    for run_tokens in (1, 64, 100_000):
        scorer.run_tokens = run_tokens
        together = scorer.score(prompts, CHOICE)
        np.testing.assert_allclose(together.logprob, np.concatenate([s.logprob for s in alone]), rtol=1e-6, atol=1e-5)
        np.testing.assert_array_equal(together.argmax, np.concatenate([s.argmax for s in alone]))


def test_padding_is_used_where_it_is_harmless():
    """Only architectures that let padding through are run without any."""
    tokenizer = wordpiece()
    runs = {kind: MaskedScorer(tiny_model(kind, tokenizer), tokenizer).joined for kind in ("bert", "roberta", "fnet")}
    assert runs == {"bert": masked.RUN_TOKENS, "roberta": masked.RUN_TOKENS, "fnet": 0}


def test_out_of_memory_halves_the_work(monkeypatch):
    """When only two sequences fit at a time, the scores are the same; when not even one does, the error says so."""
    tokenizer = wordpiece()
    scorer = MaskedScorer(tiny_model("bert", tokenizer), tokenizer)
    prompts = prompts_of(tokenizer)
    expected = scorer.score(prompts, CHOICE)
    reduce, room = scorer._reduce, 2

    def small(ids, attention, tokens):
        if len(ids) > room:
            raise torch.OutOfMemoryError("not so much")
        return reduce(ids, attention, tokens)

    monkeypatch.setattr(scorer, "_reduce", small)
    found = scorer.score(prompts, CHOICE)
    np.testing.assert_allclose(found.logprob, expected.logprob, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(found.argmax, expected.argmax)
    assert scorer.run_tokens < masked.BATCH_TOKENS
    room = 0
    with pytest.raises(FactrootsError, match="out of memory on a single sequence"):
        scorer.score(prompts, CHOICE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "modernbert", "mobilebert"])
def test_half_precision(kind, dtype):
    """Half precision runs, cut where full precision is, and stays near it."""
    tokenizer = wordpiece()
    full = MaskedScorer(tiny_model(kind, tokenizer), tokenizer)
    half = MaskedScorer(tiny_model(kind, tokenizer).to(dtype), tokenizer)
    assert (half.halves is None) == (full.halves is None)
    prompts = prompts_of(tokenizer)
    ours, expected = (s.score(prompts, CHOICE).logprob for s in (half, full))
    assert np.isfinite(ours).all() and np.abs(ours - expected).mean() < (0.02 if dtype == torch.float16 else 0.2)
