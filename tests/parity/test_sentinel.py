"""Sentinel scoring against plain loops: one sentence and one candidate at a time, the model run whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_fixtures import ALPHABET, LIMIT, WORDS, unigram
from tokenizers import AddedToken, processors
from torch import nn
from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast, T5Tokenizer

from data_builders.errors import FactrootsError
from probe.scoring import sentinel, vocabulary
from probe.scoring.scorer import Ask, Candidates, batches
from probe.scoring.sentinel import SentinelScorer
from probe.scoring.written import Written

GATED = {"feed_forward_proj": "gated-gelu"}
#: Architectures by `model_type`, and whether input and output embedding are one (T5's then scales its states).
ARCHITECTURES = {
    "t5": ({}, True),
    "t5 untied": ({**GATED, "tie_word_embeddings": False}, False),
    "mt5": (GATED, True),
    "mt5 untied": (GATED, False),
    "umt5": (GATED, True),
    "longt5": ({"encoder_attention_type": "transient-global", "local_radius": 4, "global_block_size": 4}, True),
    "switch_transformers": ({"num_experts": 2}, True),
}
LABELS = [
    "Roma",
    "Roma la",
    "Roma Italia",
    "the of la",
    "東京",
    "東京都",
    "日本",
    "Par",
    "Paris",
    "Ж",
    "a b c d e",
    "Roma",
]
PROMPTS = [
    "the capital of Italia is [Y].",
    "[Y] (Roma)",
    "日本の首都は[Y]です。",
    "القاهرة [Y] مصر",
    "[Y]",
    "la " * 20 + "[Y]",
]


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """The vocabulary met in several blocks, small as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "BLOCK", 50)
        yield


def published() -> PreTrainedTokenizerFast:
    """T5's own tokenizer over a small vocabulary: words are cut at spaces, each begins with "▁"."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(c, -6.0) for c in sorted(set(ALPHABET))] + [(w, -4.0) for w in WORDS] + [(f"▁{w}", -3.0) for w in WORDS]
    pieces += [("<extra_id_1>", 0.0), ("<extra_id_0>", 0.0)]
    return T5Tokenizer(vocab=pieces, extra_ids=2, model_max_length=LIMIT)


def spaced() -> PreTrainedTokenizerFast:
    """One that keeps spaces: before a sentinel it leaves a lone "▁"."""
    tokenizer = unigram(False)
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken(f"<extra_id_{i}>") for i in (0, 1)]})
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 2)])
    return tokenizer


TOKENIZERS = {"T5's": published, "one that keeps spaces": spaced}


def tiny(kind: str, tokenizer, seed: int = 0):
    """Two narrow layers on each side, their weights drawn wide enough to have opinions."""
    more, tied = ARCHITECTURES[kind]
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 2}
    ids = {"pad_token_id": tokenizer.pad_token_id, "decoder_start_token_id": tokenizer.pad_token_id}
    # the vocabulary is larger than the tokenizer's, as T5's are
    config = AutoConfig.for_model(
        kind.split()[0], vocab_size=len(tokenizer) + 13, eos_token_id=1, **sizes, **ids, **more
    )
    model = AutoModelForSeq2SeqLM.from_config(config).eval()
    if not tied:
        model.lm_head = nn.Linear(16, config.vocab_size, bias=False)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
    return model


class Plain:
    """BMLAMA's loop in so many words; shares nothing with the scorer."""

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer = model, tokenizer

    def tokens(self, label: str) -> list[int]:
        gap, *tokens = self.tokenizer(f"<extra_id_0> {label}", add_special_tokens=False)["input_ids"]
        assert self.tokenizer.convert_ids_to_tokens(gap) == "<extra_id_0>"
        return tokens

    @torch.no_grad()
    def score(self, prompt: str, label: str) -> float:
        ids = self.tokenizer(prompt.replace("[Y]", "<extra_id_0>"), return_tensors="pt")["input_ids"]
        ends = self.tokenizer.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_1>", "</s>"])
        target = torch.tensor([[ends[0], *self.tokens(label), *ends[1:]]])
        logprob = torch.log_softmax(self.model(input_ids=ids, labels=target).logits[0].double(), -1)
        return sum(float(logprob[i, token]) for i, token in enumerate(target[0].tolist()[:-2]) if i > 0)


def candidates(labels=LABELS) -> Candidates:
    return Candidates(labels, [() for _ in labels], "xx")


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("kind", [kind for kind in ARCHITECTURES if kind != "switch_transformers"])
def test_every_architecture(kind, name):
    """All candidates of all sentences, and choices among them, alone and in company."""
    tokenizer = TOKENIZERS[name]()
    model = tiny(kind, tokenizer)
    assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) == ARCHITECTURES[kind][1]
    plain, scorer = Plain(model, tokenizer), SentinelScorer(model, tokenizer)
    expected = np.array([[plain.score(prompt, label) for label in LABELS] for prompt in PROMPTS])
    assert expected.std(axis=0).min() > 0.01  # the input is looked at
    asks = [Ask(prompt) for prompt in PROMPTS] + [Ask(PROMPTS[0], (7, 1)), Ask(PROMPTS[2], (4,)), Ask(PROMPTS[0], (3,))]
    work = scorer.work(asks, candidates())
    answers = work.score(range(len(asks)))
    counts = [len(plain.tokens(label)) for label in LABELS]
    for ask, answer in zip(asks, answers, strict=True):
        choice = list(range(len(LABELS)) if ask.choice is None else ask.choice)
        np.testing.assert_allclose(answer.logprob, expected[PROMPTS.index(ask.prompt)][choice], atol=1e-5, rtol=2e-6)
        assert answer.logprob.dtype == np.float32 and answer.count.tolist() == [counts[i] for i in choice]
        assert answer.argmax is None and answer.fault is None
    for i, answer in enumerate(answers):
        np.testing.assert_allclose(work.score([i])[0].logprob, answer.logprob, atol=1e-5, rtol=2e-6)


def test_the_tokens_are_the_published_ones():
    """With T5's tokenizer they are what BMLAMA cuts out of "<extra_id_0> label <extra_id_1>", a lone "▁" included."""
    tokenizer = published()
    plain, work = Plain(None, tokenizer), SentinelScorer(tiny("t5", tokenizer), tokenizer).work([], candidates())
    for label, tokens in zip(LABELS, work.tokens, strict=True):
        whole = tokenizer(f"<extra_id_0> {label} <extra_id_1>")["input_ids"]
        assert tokens == whole[1:-2] == plain.tokens(label)
    assert tokenizer.convert_ids_to_tokens(work.tokens[LABELS.index("日本")])[0] == "▁"


MODEL, TOKENIZER = tiny("mt5", published(), seed=2), published()
SCORER, PLAIN = SentinelScorer(MODEL, TOKENIZER), Plain(MODEL, TOKENIZER)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text("abcRoma 東京", max_size=5), min_size=1, max_size=8),
    st.lists(st.sampled_from(PROMPTS), min_size=1, max_size=3),
)
def test_any_candidates(labels, prompts):
    """Labels that are one another's beginnings, the same, or nothing at all."""
    answers = SCORER.work([Ask(prompt) for prompt in prompts], candidates(labels)).score(range(len(prompts)))
    for prompt, answer in zip(prompts, answers, strict=True):
        empty = [not label.strip() for label in labels]
        assert (answer.count == 0).tolist() == empty == np.isnan(answer.logprob).tolist()
        expected = [np.nan if none else PLAIN.score(prompt, label) for label, none in zip(labels, empty, strict=True)]
        np.testing.assert_allclose(answer.logprob, expected, atol=1e-5, rtol=2e-6)


def test_what_is_shared_is_written_once():
    """No leaf is written, and no beginning twice but where it must be repeated for another branch."""
    tokens = [[5], [5, 6], [5, 6, 7], [5, 8, 9], [10, 11], [12], []]
    written = Written(3, range(7), tokens)
    assert [branch.tokens.tolist() for branch in written.branches] == [[5, 6], [5, 8], [10]]
    assert written.labels == [0, 1, 2, 3, 4, 5]
    predicted = [written.tokens[branch.nodes].tolist() for branch in (written.first, *written.branches)]
    assert predicted == [[5, 10, 12], [6, 7, 8], [9], [11]]
    assert [branch.places.tolist() for branch in written.branches] == [[0, 1, 0], [1], [0]]
    only = Written(3, [5, 0], tokens)
    assert not only.branches and only.labels == [5, 0]
    assert only.totals(np.float32([7, 1, 2])).tolist() == [2, 1]


def test_probabilities_of_all_that_can_follow_sum_to_one():
    """Summed over every token of the vocabulary, whatever was written before."""
    tokens = list(range(MODEL.config.vocab_size))
    work = SCORER.work([Ask(PROMPTS[0])], candidates(["x"] * 2 * len(tokens)))
    work.tokens[:] = [[token] for token in tokens] + [[9, token] for token in tokens]
    work.__post_init__()
    one, two = np.split(np.exp(work.score([0])[0].logprob.astype(float)), 2)
    assert one.sum() == pytest.approx(1, abs=1e-5) and two.sum() == pytest.approx(one[9], rel=1e-5)


def test_what_cannot_be_asked_says_why():
    """Too long a sentence or candidate, a sentinel or slot of its own, logits that are not numbers: each alone."""
    model = tiny("mt5 untied", TOKENIZER)
    with torch.no_grad():
        model.get_input_embeddings().weight[TOKENIZER.convert_tokens_to_ids("▁Par")] = torch.nan
    labels = ["Roma", "la of", "Par Par", "la " * (LIMIT - 1), "la " * LIMIT]
    ends = len(TOKENIZER("[Y]".replace("[Y]", "<extra_id_0>"))["input_ids"])
    prompts = ["a is [Y].", "Par is [Y].", "la " * (LIMIT - ends) + "[Y]", "la " * (LIMIT - ends + 1) + "[Y]"]
    asks = [Ask(prompt, (0, 1)) for prompt in [*prompts, "<extra_id_0> is [Y]", "[Y] [Y]"]]
    asks += [Ask(prompts[0], (0, 2)), Ask(prompts[0], (3,)), Ask(prompts[0], (0, 4)), Ask(prompts[0], (0,), "Par. ")]
    work = SentinelScorer(model, TOKENIZER).work(asks, candidates(labels))
    long, own = (
        f"the prompt is longer than the model's {LIMIT} tokens",
        "the prompt holds a sentinel or a slot of its own",
    )
    label = f"a candidate is longer than the model's {LIMIT} tokens"
    assert work.faults == [None, None, None, long, own, own, None, None, label, None]
    broken = "the model's logits are not finite in float32"
    found = [answer.fault for answer in work.score(range(len(asks)))]
    assert found == [None, broken, None, long, own, own, broken, None, label, broken]
    assert sorted(i for batch in batches(work, 64) for i in batch) == [0, 1, 2, 6, 7, 9]
    np.testing.assert_allclose(work.score([0])[0].logprob, work.score([1, 0, 6])[1].logprob, atol=1e-5)


def test_out_of_memory_halves_the_work(monkeypatch):
    """Answers are the same when two sequences fit at a time; when not even one does, the error says so."""
    scorer, room = SentinelScorer(MODEL, TOKENIZER), 2
    work = scorer.work([Ask(prompt) for prompt in PROMPTS], candidates())
    expected, run = [a.logprob for a in work.score(range(len(PROMPTS)))], scorer.steps._run

    def small(hidden, *rest):
        if len(hidden) > room:
            raise torch.OutOfMemoryError("not so much")
        return run(hidden, *rest)

    monkeypatch.setattr(scorer.steps, "_run", small)
    np.testing.assert_allclose([a.logprob for a in work.score(range(len(PROMPTS)))], expected, atol=1e-5)
    assert scorer.run_tokens < sentinel.BATCH_TOKENS
    room = 0
    with pytest.raises(FactrootsError, match="out of memory on a single sequence"):
        work.score([0])


def test_the_model_is_left_as_it_was():
    """No hook stays, also when the model fails."""
    model = tiny("t5", TOKENIZER)
    scorer = SentinelScorer(model, TOKENIZER)
    with pytest.raises(IndexError):
        scorer.steps.read([[10**6]], scorer.begin)
    assert not model.get_output_embeddings()._forward_pre_hooks


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    """Half precision runs and stays near full precision."""
    full, half = (tiny("mt5", TOKENIZER).to(kind) for kind in (torch.float32, dtype))
    asks = [Ask(prompt) for prompt in PROMPTS]
    one, other = (
        np.array([a.logprob for a in SentinelScorer(m, TOKENIZER).work(asks, candidates()).score(range(len(asks)))])
        for m in (full, half)
    )
    assert np.abs(one - other).mean() < (0.02 if dtype == torch.float16 else 0.2) * np.abs(one).mean()


def test_models_that_do_not_write_in_steps_are_refused():
    """One whose experts are chosen batch by batch, for one."""
    with pytest.raises(FactrootsError, match="^model type switch_transformers does not write in steps as it does at"):
        SentinelScorer(tiny("switch_transformers", TOKENIZER), TOKENIZER)


def test_models_without_sentinels_are_refused():
    """BART's kin cannot be scored so, and one line says what can."""
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    bare = unigram(True)
    bart = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model("bart", vocab_size=len(bare), **sizes, **heads))
    with pytest.raises(FactrootsError, match="^the tokenizer has no <extra_id_0> and <extra_id_1>: .* only T5, mT5"):
        SentinelScorer(bart, bare)
