"""Pseudo-log-likelihoods against LM-PUB-QUIZ 0.3.3 (MIT) item by item, and against plain loops over one input each."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from probe_fixtures import LIMIT, tiny_model, unigram, wordpiece
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerFast

from data_builders.errors import FactrootsError
from probe.scoring import vocabulary
from probe.scoring.masked import MaskedScorer
from probe.scoring.masking import METRICS
from probe.scoring.pseudo import PseudoScorer
from probe.scoring.scorer import Ask, Candidates, batches
from probe.scoring.vocabulary import linear_blocks, target_blocks, target_logits


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """The vocabulary met in several blocks, small as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "BLOCK", 50)
        yield


def bytes_bpe() -> PreTrainedTokenizerFast:
    """A tokenizer as RoBERTa's: bytes and some merges, so that a Japanese character is several tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("Ġ", "R"), ("o", "m"), ("Ġ", "i"), ("Ġi", "s"), ("a", "l"), ("t", "h")]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters, *("".join(pair) for pair in merges)]
    bare = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True)
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "unk": "<unk>", "pad": "<pad>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=bare,
        model_max_length=128,
        mask_token=AddedToken("<mask>", lstrip=True, special=True),
        **{f"{name}_token": token for name, token in names.items()},
    )


LIKE = {
    "bert": ("bert", lambda: wordpiece(limit=128)),
    "roberta": ("roberta", bytes_bpe),
    "xlm-r": ("xlm-roberta", lambda: unigram(True, limit=128)),
}
TEMPLATES = ("[Y] is the capital of [X].", "the capital [Y] of [X]", "la [X] is [Y]", "[X]の首都は[Y]です。")
SUBJECTS = ("Italia", "日本 Par")
ANSWERS = ("Roma", "東京", "日本東", "Roma Italia", "Lima", "is-is", "مصر")


def like(name: str):
    kind, tokenizer = LIKE[name][0], LIKE[name][1]()
    return tiny_model(kind, tokenizer, max_position_embeddings=130), tokenizer


def candidates_of(tokenizer, labels=ANSWERS, lang: str = "xx") -> Candidates:
    return Candidates(labels, tokenizer(list(labels), add_special_tokens=False)["input_ids"], lang)


def asks_of(templates=TEMPLATES, subjects=SUBJECTS, **more) -> list[Ask]:
    return [Ask(template.replace("[X]", subject), **more) for template in templates for subject in subjects]


def scored(scorer: PseudoScorer, asks: list[Ask], candidates: Candidates) -> list:
    """An answer for each ask, through the batches that a run would cut."""
    work = scorer.work(asks, candidates)
    answers = dict.fromkeys(range(len(asks)))
    for batch in batches(work):
        answers.update(zip(batch, work.score(batch), strict=True))
    return [answers[i] for i in range(len(asks))]


def theirs(model, tokenizer, metric: str):
    """LM-PUB-QUIZ's evaluator, told to leave the first letter of a sentence as it is."""
    return pytest.importorskip("lm_pub_quiz").Evaluator.from_model(
        model, model_type="MLM", tokenizer=tokenizer, model_name="tiny", capitalize=False, pll_metric=metric
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", LIKE)
def test_lm_pub_quiz_agrees(name, metric):
    """Sums and means of every candidate; sentences are padded there, and here they are not."""
    model, tokenizer = like(name)
    other = theirs(model, tokenizer, metric)
    answers = scored(PseudoScorer(model, tokenizer, metric), asks_of(), candidates_of(tokenizer))
    places = [(template, subject) for template in TEMPLATES for subject in SUBJECTS]
    for (template, subject), answer in zip(places, answers, strict=True):
        keys = {"template": template, "subject": subject, "answers": ANSWERS, "batch_size": 16}
        tokens = [[value for _, value in own] for own, _ in other.score_answers(reduction=None, **keys)]
        np.testing.assert_allclose(answer.logprob, [sum(own) for own in tokens], rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(answer.logprob / answer.count, [sum(t) / len(t) for t in tokens], atol=1e-4)
        assert answer.count.tolist() == [len(own) for own in tokens]
    for reduction, value in (("sum", answer.logprob), ("mean", answer.logprob / answer.count)):
        np.testing.assert_allclose(value, other.score_answers(reduction=reduction, **keys), rtol=1e-5, atol=1e-4)


#: Labels that something could take for grammar, cannot spell, or joins to its neighbour.
TRICKY = (
    "[MASK]", "<mask>", "a<mask>b", "[Y]", "[X] [Y]", "\\1", "☃", "a☃", "▁", "##is", " x ", "e\u0301", "[SEP]", "</s>",
    "กรุงเทพ", "x\u3000x", "a b c d e", "ישראל",
)  # fmt: skip


@pytest.mark.parametrize("name", LIKE)
def test_lm_pub_quiz_agrees_on_tricky_labels(name):
    model, tokenizer = like(name)
    other = theirs(model, tokenizer, "answer_l2r+word_l2r")
    candidates = candidates_of(tokenizer, TRICKY)
    assert all(map(len, candidates.tokens))
    (answer,) = scored(PseudoScorer(model, tokenizer, "answer_l2r+word_l2r"), [Ask("Par[Y]is la.")], candidates)
    expected = other.score_answers(template="Par[Y]is la.", answers=TRICKY, reduction="sum", batch_size=16)
    np.testing.assert_allclose(answer.logprob, expected, rtol=1e-5, atol=1e-4)


def test_metrics_differ():
    """On answers of several tokens no two metrics give the same, so that agreeing with each says something."""
    model, tokenizer = like("xlm-r")
    asks, candidates = [Ask("la Roma is [Y]-b")], candidates_of(tokenizer, ("Lima Roma", "TunisTunis"))
    found = [scored(PseudoScorer(model, tokenizer, metric), asks, candidates)[0].logprob for metric in METRICS]
    for i, one in enumerate(found):
        assert all(np.abs(one - other).min() > 1e-3 for other in found[:i])


def slow(model, tokenizer, ask: Ask, label: str, metric: str) -> tuple[float, int]:
    """One input at a time, all logits; what is masked is told from words and offsets as sets."""
    text = ask.context + ask.prompt.replace("[Y]", label)
    start = len(ask.context) + ask.prompt.index("[Y]")
    batch = tokenizer(text, return_special_tokens_mask=True, return_offsets_mapping=True)
    ids, words, offsets = batch["input_ids"], batch.word_ids(), batch["offset_mapping"]
    scored = [p for p in range(len(ids)) if not batch["special_tokens_mask"][p] and offsets[p][1] > len(ask.context)]
    over = [[p for p in scored if offsets[p][0] <= at < offsets[p][1]] for at in range(start, start + len(label))]
    firsts = [places[0] for places in over if places]  # of a character that is several tokens, theirs is the first
    answer = set(range(min(firsts), max(firsts) + 1))
    total = 0.0
    for place in scored:
        word = {p for p in scored if p >= place and words[p] == words[place]}
        masked = {
            "original": {place},
            "within_word_l2r": word,
            "sentence_l2r": set(range(place, len(ids))),
            "answer_l2r+word_l2r": {p for p in answer if p >= place} if place in answer else word,
        }[metric]
        shown = [tokenizer.mask_token_id if p in masked else token for p, token in enumerate(ids)]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([shown])).logits[0, place].double()
        total += float(torch.log_softmax(logits, -1)[ids[place]])
    return total, len(scored)


def agree(model, tokenizer, metric: str, asks: list[Ask], candidates: Candidates) -> None:
    for ask, answer in zip(asks, scored(PseudoScorer(model, tokenizer, metric), asks, candidates), strict=True):
        choice = range(len(candidates.labels)) if ask.choice is None else ask.choice
        expected = [slow(model, tokenizer, ask, candidates.labels[i], metric) for i in choice]
        np.testing.assert_allclose(answer.logprob, [total for total, _ in expected], rtol=5e-6, atol=1e-4)
        assert answer.count.tolist() == [count for _, count in expected]
        assert answer.fault is answer.argmax is answer.normaliser is answer.texts is None


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", LIKE)
def test_plain_loops_agree(name, metric):
    """With a choice of candidates, and with a context that is read but not scored."""
    model, tokenizer = like(name)
    asks = [
        Ask("Par is [Y].", (3, 0)),
        Ask("la Italia is [Y]", (1, 4, 6), "la Par is Lima.\n"),
        Ask("[Y]は日本", (2, 1), "Roma\n"),
    ]
    agree(model, tokenizer, metric, asks, candidates_of(tokenizer))


@pytest.mark.parametrize("kind", ["deberta", "deberta-v2", "distilbert", "fnet", "luke", "mobilebert", "xlm"])
def test_architectures(kind):
    """Models that are cut, that are run whole, and that let padding through."""
    tokenizer = wordpiece()
    asks = asks_of(subjects=SUBJECTS[:1])
    agree(tiny_model(kind, tokenizer, seed=1), tokenizer, "within_word_l2r", asks, candidates_of(tokenizer))


def test_a_bare_slot_is_what_the_masked_scorer_says():
    """Identity: of the sentence ``[Y]`` with one token, each metric gives the masked LM's own log-probability."""
    model, tokenizer = like("bert")
    candidates = candidates_of(tokenizer, ("Roma", "a", "capital"))
    expected = MaskedScorer(model, tokenizer).work([Ask("[Y]")], candidates).score([0])[0].logprob
    for metric in ("original", "within_word_l2r", "answer_l2r+word_l2r"):
        (answer,) = scored(PseudoScorer(model, tokenizer, metric), [Ask("[Y]")], candidates)
        np.testing.assert_allclose(answer.logprob, expected, rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_without_input_every_metric_is_a_unigram_model(metric):
    """Null control: of a model that does not see its input, a sentence is worth what its tokens are, one by one."""
    model, tokenizer = like("bert")
    with torch.no_grad():
        for table in (model.bert.embeddings.word_embeddings, model.bert.embeddings.position_embeddings):
            table.weight.zero_()
        model.cls.predictions.decoder.bias.normal_()
        unigrams = model(input_ids=torch.tensor([[5]])).logits[0, 0].double().log_softmax(-1)
    asks, candidates = asks_of(), candidates_of(tokenizer)
    for ask, answer in zip(asks, scored(PseudoScorer(model, tokenizer, metric), asks, candidates), strict=True):
        for label, value in zip(ANSWERS, answer.logprob, strict=True):
            ids = tokenizer(ask.prompt.replace("[Y]", label), add_special_tokens=False)["input_ids"]
            assert value == pytest.approx(float(unigrams[ids].sum()), rel=1e-5)


def seen_by(scorer: PseudoScorer, monkeypatch) -> list[tuple[int, ...]]:
    """Every input that the scorer will have run, as it was run."""
    inputs, read = [], scorer.reader._read

    def recorded(sequences, *rest):
        inputs.extend(sequences)
        return read(sequences, *rest)

    monkeypatch.setattr(scorer.reader, "_read", recorded)
    return inputs


def test_no_input_is_run_twice(monkeypatch):
    """Answers of one word share the input that asks for their first token; subjects of one token share theirs."""
    model, tokenizer = like("bert")
    candidates = candidates_of(tokenizer, ("abc", "abd", "bcd", "Roma", "Italia"))  # words of 3, 3, 3, 1, 1 tokens
    scorer = PseudoScorer(model, tokenizer)
    inputs = seen_by(scorer, monkeypatch)
    scorer.work([Ask("la Par is [Y]"), Ask("la of is [Y]")], candidates).score([0, 1])
    assert len(set(inputs)) == len(inputs)
    # For each subject three tokens' context, less the subject's own, which both ask with it masked; of the answers
    # the first token of three, the second after a and b, the third after ab and bc, and the only one of one.
    assert len(inputs) == 2 * (2 * 5 + (1 + 2 + 2) + 1) + 5


def test_company_does_not_matter():
    """An ask's answer is the same alone and among others, in runs of any size, also where padding leaks."""
    for kind in ("bert", "fnet"):
        tokenizer = wordpiece()
        scorer = PseudoScorer(tiny_model(kind, tokenizer), tokenizer)
        work = scorer.work(asks_of(subjects=SUBJECTS[:1]), candidates_of(tokenizer))
        alone = np.stack([work.score([i])[0].logprob for i in range(len(work.sizes))])
        for run_tokens in (1, 64, 100_000):
            scorer.reader.run_tokens = run_tokens
            together = np.stack([answer.logprob for answer in work.score(range(len(work.sizes)))])
            np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-5)


def test_out_of_memory_halves_the_work(monkeypatch):
    model, tokenizer = like("bert")
    scorer = PseudoScorer(model, tokenizer)
    work = scorer.work(asks_of(), candidates_of(tokenizer))
    expected = work.score([0])[0].logprob
    read, room = scorer.reader._read, 3

    def small(sequences, *rest):
        if len(sequences) > room:
            raise torch.OutOfMemoryError("not so much")
        return read(sequences, *rest)

    monkeypatch.setattr(scorer.reader, "_read", small)
    np.testing.assert_allclose(work.score([0])[0].logprob, expected, rtol=1e-6, atol=1e-5)
    room = 0
    with pytest.raises(FactrootsError, match="out of memory on a single sequence"):
        work.score([0])


def test_what_cannot_be_asked_says_why():
    """A mask or slot in the prompt is known before the model runs; so is a prompt too long for every candidate."""
    tokenizer = wordpiece(limit=128)
    scorer = PseudoScorer(tiny_model("bert", tokenizer), tokenizer)  # reads LIMIT + 2 tokens
    prompts = ["a [MASK] [Y]", "[Y] [Y]", "a", "a " * LIMIT + "[Y]", "[Y] is Par"]
    work = scorer.work([*map(Ask, prompts), Ask("[Y]", None, "[Y]\n")], candidates_of(tokenizer))
    slot, long = (
        "the prompt holds a mask or a slot of its own",
        f"the prompt is longer than the model's {LIMIT + 2} tokens",
    )
    assert work.faults == [slot, slot, slot, long, None, slot]
    assert [size > 0 for size in work.sizes] == [True, False, False, True, True, False]


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_exact(over):
    """One candidate's sentence that is a token too long is the ask's fault, but not for those that do not choose it."""
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer, max_position_embeddings=LIMIT)
    candidates = candidates_of(tokenizer, ("Roma", "Roma Italia"))
    prompt = "a " * (LIMIT - 4 + over) + "[Y]"
    work = PseudoScorer(model, tokenizer).work([Ask(prompt), Ask(prompt, (0,)), Ask("[Y]")], candidates)
    assert work.faults == [None] * 3
    faults = [answer.fault for answer in work.score([0, 1, 2])]
    assert faults == [f"the prompt is longer than the model's {LIMIT} tokens" if over else None, None, None]


def test_a_label_without_tokens_has_no_score():
    """It is NaN of no tokens; its neighbours' scores are what they are without it, also where there are none."""
    model, tokenizer = like("bert")
    candidates = candidates_of(tokenizer, ("Roma", "\x07", "Par"))
    asks = [Ask("[Y] is la"), Ask("[Y] is la", (0, 2)), Ask("[Y] is la", (1,))]
    with_it, without, alone = scored(PseudoScorer(model, tokenizer), asks, candidates)
    assert np.isnan(with_it.logprob).tolist() == [False, True, False] and with_it.count.tolist() == [3, 0, 3]
    np.testing.assert_allclose(with_it.logprob[[0, 2]], without.logprob, rtol=1e-6)
    assert np.isnan(alone.logprob).tolist() == [True] and alone.count.tolist() == [0] and alone.fault is None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_the_asks_fault(value):
    """A token whose embedding is broken spoils the asks that hold it, and no others."""
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer, tie_word_embeddings=False)
    candidates, asks = candidates_of(tokenizer, ("Roma", "Par")), [Ask("[Y] is la"), Ask("[Y] is the")]
    expected = scored(PseudoScorer(model, tokenizer), asks, candidates)
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[tokenizer.convert_tokens_to_ids("la")] = value
    broken, whole = PseudoScorer(model, tokenizer).work(asks, candidates).score([0, 1])
    assert broken.fault == "the model's logits are not finite in float32" and broken.logprob is None
    np.testing.assert_allclose(whole.logprob, expected[1].logprob, rtol=1e-6)


def test_an_unknown_metric_lists_the_known():
    model, tokenizer = like("bert")
    with pytest.raises(FactrootsError, match="unknown pseudo-log-likelihood 'l2r'; there are: .*within_word_l2r"):
        PseudoScorer(model, tokenizer, "l2r")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_target_blocks_are_a_log_softmax(dtype):
    """At the edges of blocks, for states that are asked for several tokens or none, with a bias and without."""
    generator = torch.Generator().manual_seed(0)
    states, weight, bias = (torch.randn(shape, generator=generator).to(dtype) for shape in ((7, 9), (133, 9), (133,)))
    weight[:10] *= 100  # a block whose exponentials dwarf the next one's beyond what float32 holds
    place = torch.tensor([0, 6, 6, 3, 3, 3, 0, 5, 5])
    token = torch.tensor([0, 49, 50, 132, 99, 100, 0, 131, 51])
    for own in (bias, None):
        logits = torch.nn.functional.linear(states, weight, own)
        expected = logits.float().log_softmax(-1)[place, token]
        exact = 1e-5 if dtype != torch.bfloat16 else 2e-2
        torch.testing.assert_close(
            target_blocks(linear_blocks(states, weight, own), 7, 133, place, token), expected, rtol=exact, atol=exact
        )
        torch.testing.assert_close(target_logits(logits, place, token), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_real_weights(metric):
    """A small English BERT with 30,522 word pieces: LM-PUB-QUIZ's scores of capitals and languages."""
    from test_real_models import shipped

    folder = shipped("cognition", "model")
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    labels = ("Paris", "Rome", "Buenos Aires", "Ouagadougou", "Washington, D.C.", "Saint-Denis")
    other, scorer = theirs(model, tokenizer, metric), PseudoScorer(model, tokenizer, metric)
    assert scorer.reader.halves is not None
    for template in ("The capital of [X] is [Y].", "[Y] is the capital of [X].", "In [X], [Y] is the largest city"):
        for subject in ("France", "Burkina Faso", "Liechtenstein"):
            (answer,) = scored(scorer, [Ask(template.replace("[X]", subject))], candidates_of(tokenizer, labels))
            keys = {"template": template, "subject": subject, "answers": labels, "batch_size": 8}
            for reduction, value in (("sum", answer.logprob), ("mean", answer.logprob / answer.count)):
                np.testing.assert_allclose(value, other.score_answers(reduction=reduction, **keys), atol=1e-4)
