"""Teacher-forced scores against BMLAMA's script (Qi et al. 2023), rewritten as plain loops: one candidate, one token.

The script writes each piece's text into the sentence and tokenises it anew. Where that does not give back the ids that
are meant, its scores are of another sentence than filling in ids gives; that has a loop of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from probe_fixtures import LIMIT, TOKENIZERS, tiny_model, wordpiece

from data_builders.errors import FactrootsError
from probe.scoring.left_to_right import LeftToRightScorer
from probe.scoring.masked import MaskedScorer
from probe.scoring.scorer import Ask, Candidates, batches

PROMPTS = {
    "it": ("the capital of Italia is [Y].", "[Y] (Par)", "la [Y] of Par"),
    "ja": ("Italiaの首都は[Y]です。", "[Y]は日本", "東京 [Y]"),
    "zh": ("日本の首都は[Y]。", "[Y]首", "Roma[Y]"),
}
LABELS = ("Roma", "東京", "日本東", "日本東京", "日東", "Roma Italia", "Roma Par", "Lima", "a", "is-is", "القاهرة")


def like(name: str):
    tokenizer = TOKENIZERS[name]()
    return tiny_model("xlm-roberta" if "unigram" in name else "bert", tokenizer), tokenizer


def candidates_of(tokenizer, lang: str, labels=LABELS) -> Candidates:
    """Tokenised as the script does, which takes the lone "▁" off a Chinese answer of XLM-R's."""
    tokens = [tokenizer(label)["input_ids"][1:-1] for label in labels]
    if lang == "zh" and (space := tokenizer.get_vocab().get("▁")):
        tokens = [ids[1:] if ids[0] == space else ids for ids in tokens]
    return Candidates(labels, tokens, lang)


@torch.no_grad()
def script(model, tokenizer, prompt: str, tokens: list[int], lang: str) -> tuple[float, bool]:
    """The script's sum of log-probabilities, and whether every piece came back from its text as it was meant."""
    masks = ("" if lang in ("zh", "ja") else " ").join([tokenizer.mask_token] * len(tokens))
    text, total, kept = prompt.replace("[Y]", masks), 0.0, True
    meant = tokenizer(text)["input_ids"]
    for token in tokens:
        ids = tokenizer(text)["input_ids"]
        kept &= ids == meant
        place = ids.index(tokenizer.mask_token_id)
        total += float(model(input_ids=torch.tensor([ids])).logits[0, place].double().log_softmax(-1)[token])
        at = text.find(tokenizer.mask_token)
        text = text[:at] + tokenizer.convert_ids_to_tokens(token) + text[at + len(tokenizer.mask_token) :]
        meant[meant.index(tokenizer.mask_token_id)] = token
    return total, kept


@torch.no_grad()
def loop(model, tokenizer, prompt: str, tokens: list[int], lang: str, forced: bool = True) -> float:
    """The same in ids; without `forced` all masks stay as they are."""
    masks = ("" if lang in ("zh", "ja") else " ").join([tokenizer.mask_token] * len(tokens))
    ids = tokenizer(prompt.replace("[Y]", masks))["input_ids"]
    total = 0.0
    for place, token in zip([i for i, t in enumerate(ids) if t == tokenizer.mask_token_id], tokens, strict=True):
        total += float(model(input_ids=torch.tensor([ids])).logits[0, place].double().log_softmax(-1)[token])
        if forced:
            ids[place] = token
    return total


def scored(scorer, asks: list[Ask], candidates: Candidates) -> list[np.ndarray]:
    work, found = scorer.work(asks, candidates), {}
    for batch in batches(work):
        for i, answer in zip(batch, work.score(batch), strict=True):
            assert answer.fault is None, answer.fault
            found[i] = answer.logprob
    return [found[i] for i in range(len(asks))]


@pytest.mark.parametrize("lang", PROMPTS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_script_agrees(name, lang):
    """Filled in as text every candidate is what the script gives; as ids, wherever that text reads as it was meant."""
    model, tokenizer = like(name)
    candidates, asks = candidates_of(tokenizer, lang), [*map(Ask, PROMPTS[lang])]
    text, ids = (scored(LeftToRightScorer(model, tokenizer, fill=fill), asks, candidates) for fill in ("text", "ids"))
    survived = 0
    for prompt, as_text, as_ids in zip(PROMPTS[lang], text, ids, strict=True):
        theirs = [script(model, tokenizer, prompt, tokens, lang) for tokens in candidates.tokens]
        np.testing.assert_allclose(as_text, [value for value, _ in theirs], rtol=2e-6, atol=2e-5)
        expected = [loop(model, tokenizer, prompt, tokens, lang) for tokens in candidates.tokens]
        np.testing.assert_allclose(as_ids, expected, rtol=2e-6, atol=2e-5)
        kept = np.array([whole and len(own) > 1 for (_, whole), own in zip(theirs, candidates.tokens, strict=True)])
        np.testing.assert_allclose(as_text[kept], as_ids[kept], rtol=2e-6, atol=2e-5)
        survived += kept.sum()
    assert survived > 2


def test_pieces_that_do_not_survive_as_text():
    """Why there are two ways: after ``##i`` as text the sentence holds two hashes and a letter."""
    model, tokenizer = like("wordpiece")
    candidates = candidates_of(tokenizer, "it", ("Lima",))
    text, ids = (
        scored(LeftToRightScorer(model, tokenizer, fill=fill), [Ask("la [Y]")], candidates)[0]
        for fill in ("text", "ids")
    )
    assert not script(model, tokenizer, "la [Y]", candidates.tokens[0], "it")[1]
    assert text != pytest.approx(ids, abs=1e-3)
    with pytest.raises(FactrootsError, match="unknown way to fill in 'tokens'; there are: ids, text"):
        LeftToRightScorer(model, tokenizer, fill="tokens")


def test_text_that_outgrows_the_model_is_a_fault():
    """As ids the masked prompt just fits; as text ``##i`` is three tokens."""
    model, tokenizer = like("wordpiece")
    candidates, ask = candidates_of(tokenizer, "it", ("Lima", "a")), Ask("a " * (LIMIT - 6) + "[Y]")
    for fill, choice, fault in (("ids", (0, 1), False), ("text", (0, 1), True), ("text", (1,), False)):
        work = LeftToRightScorer(model, tokenizer, fill=fill).work([ask._replace(choice=choice)], candidates)
        assert work.faults == [None]
        expected = f"the prompt is longer than the model's {LIMIT} tokens" if fault else None
        assert work.score([0])[0].fault == expected


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_choice_and_a_context(name):
    """An ask's own candidates, in its order, after what stands before the sentence."""
    model, tokenizer = like(name)
    candidates = candidates_of(tokenizer, "it")
    asks = [Ask("Par is [Y].", (7, 0, 5)), Ask("Par is [Y].", (2,), "Roma is Italia.\n"), Ask("[Y] la", None, "a\n")]
    for ask, found in zip(asks, scored(LeftToRightScorer(model, tokenizer), asks, candidates), strict=True):
        tokens = candidates.tokens if ask.choice is None else [candidates.tokens[i] for i in ask.choice]
        expected = [loop(model, tokenizer, ask.context + ask.prompt, own, "it") for own in tokens]
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("join", ["space", "script"])
def test_one_token_is_what_independent_masks_give(join):
    """Identity: with nothing to fill in, the scores are the masked scorer's; with something, they are not."""
    model, tokenizer = like("unigram, mask leaves its space")
    candidates, asks = candidates_of(tokenizer, "ja"), [*map(Ask, PROMPTS["ja"])]
    ours = np.array(scored(LeftToRightScorer(model, tokenizer, join), asks, candidates))
    masked = np.array(scored(MaskedScorer(model, tokenizer, join), asks, candidates))
    single = np.array([len(tokens) == 1 for tokens in candidates.tokens])
    assert 1 < single.sum() < len(single)
    np.testing.assert_allclose(ours[:, single], masked[:, single], rtol=1e-6)
    assert (np.abs(ours - masked)[:, ~single] > 1e-4).all()


def test_without_input_it_is_what_independent_masks_give():
    """Null control: a model that does not see its tokens cannot tell what is filled in, whatever the lengths."""
    model, tokenizer = like("wordpiece")
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight.zero_()
        model.cls.predictions.decoder.bias.normal_()
    candidates, asks = candidates_of(tokenizer, "it"), [*map(Ask, PROMPTS["it"])]
    ours, masked = (
        np.array(scored(kind(model, tokenizer, "script"), asks, candidates))
        for kind in (LeftToRightScorer, MaskedScorer)
    )
    np.testing.assert_allclose(ours, masked, rtol=1e-6)
    assert np.ptp(ours[0]) > 1


def test_beginnings_are_run_once(monkeypatch):
    """One input for all candidates of a length and for each of their beginnings; the sizes are the tokens read."""
    model, tokenizer = like("wordpiece")
    labels = ("Roma", "Par", "Italia", "日本", "日東", "日本東", "日本京", "日東京")
    scorer = LeftToRightScorer(model, tokenizer)
    work = scorer.work([Ask("la [Y]"), Ask("la [Y] is", (0, 1, 3))], candidates_of(tokenizer, "zh", labels))
    inputs, read = [], scorer.reader._read
    monkeypatch.setattr(scorer.reader, "_read", lambda run, *rest: inputs.extend(run) or read(run, *rest))
    sizes = []
    for number, expected in ((0, 1 + (1 + 1) + (1 + 1 + 2)), (1, 1 + 2)):
        inputs.clear()
        work.score([number])
        assert len(inputs) == len(set(inputs)) == expected
        sizes.append(sum(map(len, inputs)))
    assert work.sizes == sizes


def test_what_cannot_be_asked_or_scored():
    """A mask in the prompt and a prompt too long with its masks are faults; a label without tokens is NaN."""
    model, tokenizer = like("wordpiece")  # its longest candidate has two tokens
    candidates = candidates_of(tokenizer, "it", ("Roma Par", "\x07", "a"))
    prompts = ["a [MASK] [Y]", "[Y] [Y]", "a " * (LIMIT - 4) + "[Y]", "a " * (LIMIT - 3) + "[Y]"]
    work = LeftToRightScorer(model, tokenizer).work([*map(Ask, prompts)], candidates)
    slot = "the prompt holds a mask or a slot of its own"
    assert work.faults == [slot, slot, None, f"the prompt is longer than the model's {LIMIT} tokens"]
    (answer,) = work.score([2])
    assert np.isnan(answer.logprob).tolist() == [False, True, False] and answer.count is None


def test_logits_that_are_not_finite_are_the_asks_fault():
    """A broken embedding spoils the asks that hold its token, or fill it in, and no others."""
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer, tie_word_embeddings=False)
    candidates = candidates_of(tokenizer, "it", ("Roma", "Italia Par", "Par Italia"))
    asks = [Ask("la [Y]"), Ask("of [Y]", (0, 2)), Ask("of [Y]", (1, 0))]
    expected = scored(LeftToRightScorer(model, tokenizer), asks, candidates)
    with torch.no_grad():
        broken = tokenizer.convert_tokens_to_ids(["la", "Italia"])
        model.bert.embeddings.word_embeddings.weight[broken] = torch.nan
    found = LeftToRightScorer(model, tokenizer).work(asks, candidates).score([0, 1, 2])
    fault = "the model's logits are not finite in float32"
    assert [answer.fault for answer in found] == [fault, None, fault]
    np.testing.assert_allclose(found[1].logprob, expected[1], rtol=1e-6)
