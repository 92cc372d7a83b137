"""X-FACTR's decoding against plain loops: one sentence, one number of masks, one pass and all logits at a time."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from probe_fixtures import LIMIT, TOKENIZERS, tiny_model, unigram, wordpiece
from tokenizers import decoders

from data_builders.errors import FactrootsError
from probe.scoring import decode, vocabulary
from probe.scoring.decode import DecodeScorer, spell
from probe.scoring.masked import MaskedScorer
from probe.scoring.scorer import Ask, Candidates, batches

TEMPLATES = ("the capital of {} is [Y].", "[Y] ({})", "{}の首都は[Y]です。", "القاهرة [Y] مصر {}", "กรุง{}เทพ[Y]ไทย")
SUBJECTS = ("Roma", "東京 b c", "la " * 9)
PROMPTS = [template.format(subject) for template in TEMPLATES for subject in SUBJECTS]
WAYS = list(product(("all", "left", "confidence"), ("none", "left", "confidence")))
MASKS = 4


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """The vocabulary met in several blocks, small as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "BLOCK", 50)
        yield


def attentive(kind: str, tokenizer, seed: int = 0):
    """A tiny model whose masks look at their neighbours, so that what is filled in changes what is predicted next."""
    model = tiny_model(kind, tokenizer, seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "LayerNorm" in name or "layer_norm" in name:
                weights.fill_(float(name.endswith("weight")))
            elif "position_embeddings" in name or "token_type" in name:
                weights.mul_(0.3)
            elif "attention" in name and weights.ndim == 2:
                weights.mul_(2)
        model.get_input_embeddings().weight[tokenizer.mask_token_id] *= 0.1
    return model


MODELS = {name: attentive("xlm-roberta" if "unigram" in name else "bert", make()) for name, make in TOKENIZERS.items()}


def answers(scorer: DecodeScorer, prompts=PROMPTS, lang: str = "en"):
    work = scorer.work([Ask(prompt) for prompt in prompts], Candidates((), (), lang))
    return work.score(range(len(prompts)))


class Plain:
    """The procedure in so many words; shares nothing with the scorer."""

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer, self.mask = model, tokenizer, tokenizer.mask_token_id
        self.run = cache(self._run)

    @torch.no_grad()
    def _run(self, ids: tuple[int, ...]) -> torch.Tensor:
        return torch.log_softmax(self.model(input_ids=torch.tensor([ids])).logits[0].double(), -1)

    def best(self, ids: list[int], places) -> dict[int, tuple[int, float]]:
        """The most probable token and its log-probability where `places` are masked."""
        rows = self.run(tuple(self.mask if i in places else token for i, token in enumerate(ids)))
        return {p: (int(rows[p].argmax()), float(rows[p].max())) for p in places}

    def decode(self, prompt: str, masks: int, init: str, iterate: str, rounds: int = 2 * MASKS):
        """Tokens, the sum of their log-probabilities, and how many predictions were changed afterwards."""
        ids = self.tokenizer(prompt.replace("[Y]", " ".join([self.tokenizer.mask_token] * masks)))["input_ids"]
        at = [i for i, token in enumerate(ids) if token == self.mask]
        assert len(at) == masks
        empty, logprob, changed = list(at), {}, 0
        while empty:
            found = self.best(ids, empty)
            surest = max(empty, key=lambda place: found[place][1])
            for place in {"all": list(empty), "left": empty[:1], "confidence": [surest]}[init]:
                ids[place], logprob[place] = found[place]
                empty.remove(place)
            rounds -= 1

        def again(place: int) -> bool:
            nonlocal rounds, changed
            rounds -= 1
            token, new = self.best(ids, [place])[place]
            if token == ids[place]:
                return False
            ids[place], logprob[place], changed = token, new, changed + 1
            return True

        moved = iterate == "left"
        while moved and rounds > 0:
            moved = sum([again(place) for place in at[:rounds]]) > 0
        while iterate == "confidence" and rounds > 0 and again(min(at, key=logprob.get)):
            pass
        return [ids[place] for place in at], sum(logprob.values()), changed


PLAIN = {name: Plain(model, TOKENIZERS[name]()) for name, model in MODELS.items()}


@pytest.mark.parametrize(("init", "iterate"), WAYS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_every_way_of_decoding(name, init, iterate):
    """Texts and confidences are those of the plain loops, and what is repeated does change answers."""
    tokenizer, model, plain, changed = TOKENIZERS[name](), MODELS[name], PLAIN[name], 0
    for prompt, answer in zip(
        PROMPTS, answers(DecodeScorer(model, tokenizer, MASKS, init, iterate, "space")), strict=True
    ):
        for masks in range(1, MASKS + 1):
            tokens, confidence, changes = plain.decode(prompt, masks, init, iterate)
            assert answer.texts[masks - 1] == spell(tokenizer, tokens), (prompt, masks)
            assert answer.confidence[masks - 1] == pytest.approx(confidence, abs=1e-4)
            changed += changes
        assert answer.confidence.dtype == np.float32 and answer.logprob is None and answer.argmax is None
    assert (changed > 0) == (iterate != "none")


def test_one_mask_is_filled_in_the_same_way_by_all():
    """With one mask there is nothing to choose first and nothing else to look at again."""
    tokenizer, model = wordpiece(), MODELS["wordpiece"]
    first, *others = [answers(DecodeScorer(model, tokenizer, 1, *way)) for way in WAYS]
    for other in others:
        assert [a.texts for a in other] == [a.texts for a in first]
        np.testing.assert_allclose([a.confidence for a in other], [a.confidence for a in first], atol=1e-6)


def test_ways_differ():
    """No two ways of filling in several masks are the same procedure."""
    tokenizer, model = wordpiece(), MODELS["wordpiece"]
    found = [tuple(a.texts for a in answers(DecodeScorer(model, tokenizer, MASKS, *way))) for way in WAYS]
    assert len(set(found)) == len(WAYS)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_all_at_once_is_the_argmax_of_independent_masks(name):
    """What `all` fills in is the masked scorer's argmax, and worth what that scorer gives it as a candidate."""
    tokenizer, model = TOKENIZERS[name](), MODELS[name]
    ours = answers(DecodeScorer(model, tokenizer, MASKS, join="space"))
    masked = MaskedScorer(model, tokenizer)
    for prompt, answer in zip(PROMPTS, ours, strict=True):
        longest = masked.work([Ask(prompt)], Candidates(("x",), ([5] * MASKS,), "en")).score([0])[0].argmax.tolist()
        chosen = [longest[m * (m - 1) // 2 :][:m] for m in range(1, MASKS + 1)]
        assert answer.texts == tuple(spell(tokenizer, tokens) for tokens in chosen)
        again = masked.work([Ask(prompt)], Candidates(["x"] * MASKS, chosen, "en")).score([0])[0]
        np.testing.assert_allclose(answer.confidence, again.logprob, atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "fnet", "mobilebert"])
def test_company_does_not_matter(kind):
    """A sentence is filled in the same alone and among others, also where padding leaks or the model is run whole."""
    tokenizer = wordpiece()
    scorer = DecodeScorer(tiny_model(kind, tokenizer), tokenizer, 3, "confidence", "left")
    together = answers(scorer)
    for prompt, answer in list(zip(PROMPTS, together, strict=True))[::4]:
        alone = answers(scorer, [prompt])[0]
        assert alone.texts == answer.texts
        np.testing.assert_allclose(alone.confidence, answer.confidence, atol=1e-4)


def test_what_cannot_be_asked_says_why():
    """Too long with all its masks, a mask or slot of its own, and logits that are not numbers: each alone."""
    tokenizer, model = wordpiece(), tiny_model("bert", wordpiece(), tie_word_embeddings=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[tokenizer.convert_tokens_to_ids("Par")] = torch.inf
    fits = LIMIT - 3 - MASKS  # beside [CLS], [SEP] and the full stop
    prompts = [
        "a is [Y].",
        "Par is [Y].",
        "a " * fits + "[Y].",
        "a " * (fits + 1) + "[Y].",
        "[MASK] is [Y].",
        "[Y] [Y]",
    ]
    work = DecodeScorer(model, tokenizer, MASKS, "left").work(
        [Ask(prompts[0]), Ask(prompts[1]), *map(Ask, prompts[2:]), Ask("is [Y].", None, "Par. ")],
        Candidates((), (), "en"),
    )
    long, own = f"the prompt is longer than the model's {LIMIT} tokens", "the prompt holds a mask or a slot of its own"
    assert work.faults == [None, None, None, long, own, own, None]
    broken = "the model's logits are not finite in float32"
    assert [a.fault for a in work.score(range(7))] == [None, broken, None, long, own, own, broken]
    assert work.score([3])[0].fault == long
    assert sorted(i for batch in batches(work, 64) for i in batch) == [0, 1, 2, 6]
    np.testing.assert_allclose(work.score([0])[0].confidence, work.score([1, 0])[1].confidence, atol=1e-5)


def test_a_mask_that_is_predicted_counts_as_filled_in():
    """Every way ends, and the mask is worth its log-probability, where the model predicts nothing but masks."""
    tokenizer = wordpiece()
    model = attentive("bert", tokenizer)
    with torch.no_grad():
        model.get_output_embeddings().bias[tokenizer.mask_token_id] = 40
    prompt = PROMPTS[0]
    for way in WAYS:
        answer = answers(DecodeScorer(model, tokenizer, MASKS, *way), [prompt])[0]
        assert answer.texts == tuple(" ".join(["[MASK]"] * k) for k in range(1, MASKS + 1))
        expected = [Plain(model, tokenizer).decode(prompt, k, *way)[1] for k in range(1, MASKS + 1)]
        np.testing.assert_allclose(answer.confidence, expected, atol=1e-4)


def test_out_of_memory_halves_the_work(monkeypatch):
    """Answers are the same when two sequences fit at a time; when not even one does, the error says so."""
    tokenizer = wordpiece()
    scorer = DecodeScorer(MODELS["wordpiece"], tokenizer, 3, "confidence", "confidence")
    expected, best, room = answers(scorer), scorer._best, 2

    def small(ids, *rest):
        if len(ids) > room:
            raise torch.OutOfMemoryError("not so much")
        return best(ids, *rest)

    monkeypatch.setattr(scorer, "_best", small)
    found = answers(scorer)
    assert [a.texts for a in found] == [a.texts for a in expected] and scorer.run_tokens < decode.BATCH_TOKENS
    np.testing.assert_allclose([a.confidence for a in found], [a.confidence for a in expected], atol=1e-5)
    room = 0
    with pytest.raises(FactrootsError, match="out of memory on a single sequence"):
        answers(scorer)


def test_half_precision():
    """Half precision runs, stays near full precision, and no log-probability is above zero."""
    tokenizer = wordpiece()
    full = answers(DecodeScorer(attentive("bert", tokenizer), tokenizer, 2))
    half = answers(DecodeScorer(attentive("bert", tokenizer).half(), tokenizer, 2))
    gaps = np.abs(np.array([a.confidence for a in full]) - np.array([a.confidence for a in half]))
    assert gaps.mean() < 0.05 and max(a.confidence.max() for a in half) <= 0


def test_spelling():
    """Words by spaces as published, or none in scripts without; pieces as each tokenizer joins them."""
    pieces, marks = wordpiece(), unigram(False)
    pieces.backend_tokenizer.decoder = decoders.WordPiece(cleanup=False)
    marks.backend_tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    for tokenizer in (pieces, marks):
        ids = {text: tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("Roma la", "日本", "Parè")}
        assert spell(tokenizer, ids["Roma la"]) == "Roma la" and spell(tokenizer, ids["Parè"]) == "Parè"
        assert spell(tokenizer, ids["日本"], "") == "日本" and spell(tokenizer, ids["Roma la"], "") == "Romala"
        assert spell(tokenizer, [len(tokenizer) + 7]) == tokenizer.unk_token
    assert spell(pieces, pieces("日本", add_special_tokens=False)["input_ids"]) == "日 本"


def test_the_script_decides_how_masks_and_words_are_joined():
    """Japanese under `script` has neither spaces between masks nor in the text; under `space` it has both."""
    tokenizer, model = wordpiece(), MODELS["wordpiece"]
    for join, lang, spaced in (("script", "ja", False), ("space", "ja", True), ("script", "it", True)):
        work = DecodeScorer(model, tokenizer, 3, join=join).work([Ask(p) for p in PROMPTS], Candidates((), (), lang))
        assert work.between == " " * spaced
        assert any(" " in text for answer in work.score(range(len(PROMPTS))) for text in answer.texts) == spaced


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init": "right"}, "unknown init 'right'; there are: all, confidence, left"),
        ({"iterate": "all"}, "unknown iterate 'all'; there are: confidence, left, none"),
        ({"masks": 0}, "masks is 0; give the greatest number of masks to fill in, at least 1"),
    ],
)
def test_options_that_do_not_exist(options, message):
    """A wrong option is one line that says what there is."""
    with pytest.raises(FactrootsError, match=f"^{message}$"):
        DecodeScorer(MODELS["wordpiece"], wordpiece(), **options)
