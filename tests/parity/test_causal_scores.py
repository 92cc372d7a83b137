"""The causal scorer, with all its sharing, against one whole sentence at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from causal_fixtures import ARCHITECTURES, BOS, TOKENIZERS, Slow, byte_level, sentence_piece, tiny_causal
from hypothesis import example, given, settings
from hypothesis import strategies as st
from probe_fixtures import ALPHABET, LIMIT, tiny_model, wordpiece
from transformers import PreTrainedTokenizerFast

from data_builders.errors import FactrootsError
from probe.scoring import best_first, rows, vocabulary
from probe.scoring.blocks import Blocks, logprobs
from probe.scoring.causal import CausalScorer
from probe.scoring.scorer import Ask, Candidates, batches
from probe.scoring.trie import Trie

TEMPLATES = ("la capital of {} is [Y].", "[Y] is la {}", "{}の首都は[Y]です。", "{} [Y]", "القاهرة [Y] {}")
#: Shots: one ends in a space that the sentence's first word may take to itself.
CONTEXTS = ("", "Roma is la.\n", "東京都の首都は日本です。", "a b ")
LABELS = st.one_of(
    st.sampled_from(
        ["Roma", "Roma is", "R", "東京", "東京都", "都", "日本", "القاهرة", "☃", "a b c d", "\x07", "[Y]", "</s>"]
    ),
    st.text(ALPHABET + " ☃", min_size=1, max_size=5).filter(str.strip),
)
ASKS = st.lists(
    st.tuples(st.sampled_from(TEMPLATES), st.sampled_from(["Italia", "東京", "a", "☃"]), st.sampled_from(CONTEXTS)),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module", autouse=True)
def small_work():
    """Rows of few nodes and the vocabulary in several blocks, small as all is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "ROOM", 12)
        patch.setattr(vocabulary, "BLOCK", 50)
        yield


def candidates_of(tokenizer, labels) -> Candidates:
    return Candidates(labels, tokenizer(list(labels), add_special_tokens=False)["input_ids"], "xx")


def answers(scorer, asks, labels):
    """An answer for each ask, through the caller's own batches."""
    work = scorer.work(asks, candidates_of(scorer.tokenizer, labels))
    found = {}
    for batch in batches(work, 200):
        found |= zip(batch, work.score(batch), strict=True)
    return [found[i] for i in range(len(asks))]


def compare(scorer, slow, asks, labels) -> None:
    for ask, answer in zip(asks, answers(scorer, asks, labels), strict=True):
        own = labels if ask.choice is None else [labels[c] for c in ask.choice]
        expected = [slow.score(ask.prompt, label, ask.context) for label in own]
        assert answer.fault is None and answer.logprob.dtype == np.float32 and answer.count.dtype == np.int32
        assert answer.count.tolist() == [count for _, count in expected]
        np.testing.assert_allclose(answer.logprob, [value for value, _ in expected], rtol=2e-6, atol=1e-5)


SCORERS = {name: CausalScorer(tiny_causal("llama", make()), make()) for name, make in TOKENIZERS.items()}
SLOW = {name: Slow(scorer.model.model, scorer.tokenizer) for name, scorer in SCORERS.items()}


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=40, deadline=None)
@given(asks=ASKS, labels=st.lists(LABELS, min_size=1, max_size=6))
@example([(TEMPLATES[2], "Italia", "")], ["東京都", "東京", "日本", "Roma"])  # 都 and は are one piece together
@example([(TEMPLATES[0], "a", CONTEXTS[3]), (TEMPLATES[3], "a", CONTEXTS[3])], ["\x07", "Roma", "Roma", "☃"])
@example([(TEMPLATES[3], "a", "")] * 2, ["Roma", "Roma is", "Roma is la"])  # a sentence that begins another
def test_any_sentences(name, asks, labels):
    """Every sum and every number of tokens is what one whole sentence at a time gives."""
    compare(SCORERS[name], SLOW[name], [Ask(t.format(s), context=c) for t, s, c in asks], labels)


LABELS_FIXED = ("Roma", "Roma is", "東京", "東京都", "R", "☃", "القاهرة", "a b c d e", "\x07", "Roma")
FIXED = [
    Ask("la capital of Italia is [Y]."),
    Ask("[Y] is la a"),
    Ask("R [Y] a"),
    Ask("日の首都は[Y]です。", choice=(3, 0, 2)),
    Ask("[Y] is la a b", context="Roma is.\n"),
]
#: Longer than a window of 20.
LONG = Ask("a b c d e f g [Y] a b c d e")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_architecture(kind, monkeypatch):
    """The short cuts that a model allows give its own numbers; which ones it allows is known and stays so."""
    monkeypatch.setattr(rows, "ROOM", 256)
    _, _, tree, cut = ARCHITECTURES[kind]
    tokenizer = sentence_piece()
    model = tiny_causal(kind, tokenizer, seed=1)
    scorer = CausalScorer(model, tokenizer)
    assert (scorer.model.tree, isinstance(scorer.model.head, Blocks)) == (tree, cut)
    slow = Slow(model, tokenizer)
    for ask in (*FIXED, LONG):
        compare(scorer, slow, [ask], LABELS_FIXED)
    compare(scorer, slow, [Ask("[Y]a")], [one + two for one in "abcdef" for two in "ghil"])  # a wide tree, not deep


@pytest.mark.parametrize("kind", ["llama", "mistral, window of 20", "bloom", "llama4"])
def test_company_does_not_matter(kind, monkeypatch):
    """Sums are the same alone and among others, in rows and forward passes of any size."""
    tokenizer = sentence_piece()
    scorer = CausalScorer(tiny_causal(kind, tokenizer), tokenizer)
    work = scorer.work(FIXED, candidates_of(tokenizer, LABELS_FIXED))
    alone = [work.score([i])[0].logprob for i in range(len(FIXED))]
    for scorer.tokens, room in ((1, 1), (64, 7), (100_000, 1000)):
        monkeypatch.setattr(rows, "ROOM", room)
        for ours, expected in zip(work.score(range(len(FIXED))), alone, strict=True):
            np.testing.assert_allclose(ours.logprob, expected, rtol=1e-6, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(asks=ASKS, labels=st.lists(LABELS, min_size=1, max_size=12), best=st.integers(1, 4), width=st.integers(1, 4))
def test_best_first_is_exact(asks, labels, best, width):
    """The k best have the full search's sums, and whatever has none is no better than the k-th."""
    scorer = SCORERS["bytes, nothing added"]
    asks = [Ask(template.format(subject), context=context) for template, subject, context in asks]
    full = answers(scorer, asks, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(best_first, "WIDTH", width)
        patch.setattr(scorer, "best", best)
        found = answers(scorer, asks, labels)
    for ours, every in zip(found, full, strict=True):
        kept = ours.logprob > -np.inf
        np.testing.assert_array_equal(ours.count, every.count)
        np.testing.assert_array_equal(np.isnan(ours.logprob), np.isnan(every.logprob))
        np.testing.assert_allclose(ours.logprob[kept], every.logprob[kept], rtol=2e-6, atol=1e-5)
        scored = np.sort(every.logprob[every.count > 0])[::-1]
        if len(scored) > best:
            assert kept.sum() >= best
            assert (every.logprob[ours.logprob == -np.inf] <= scored[best - 1] + 1e-4).all()
        else:
            assert kept.sum() == len(scored)


def test_best_first_reads_less():
    """Where a model is sure of its tokens, few of the others are read to their ends."""
    tokenizer = byte_level()
    model = tiny_causal("llama", tokenizer)
    with torch.no_grad():
        model.lm_head.weight *= 8
    scorer = CausalScorer(model, tokenizer)
    letters = "abcdefghilmnop"
    labels = [one + two + one + two for one in letters for two in letters]
    read, states = [], scorer.model.states
    scorer.model.states = lambda trie, rows: read.extend(len(row.nodes) for row in rows) or states(trie, rows)
    tokens = {}
    for scorer.best in (None, 1):
        answers(scorer, [Ask("la capital of Italia is [Y].")], labels)
        tokens[scorer.best] = sum(read)
        read.clear()
    assert tokens[1] < tokens[None] / 2, tokens


def test_what_is_no_number_stays_where_it_is():
    """An ask that has the model give NaN has that fault, in either search; its neighbours in a row have their sums."""
    tokenizer = sentence_piece()
    model = tiny_causal("llama", tokenizer)
    snowman = tokenizer.convert_tokens_to_ids("Italia")
    with torch.no_grad():
        model.get_input_embeddings().weight[snowman] = torch.nan
    scorer, slow = CausalScorer(model, tokenizer), Slow(model, tokenizer)
    asks = [Ask("la capital ofItalia is [Y]."), *FIXED]
    for scorer.best in (None, 1):
        found = scorer.work(asks, candidates_of(tokenizer, LABELS_FIXED)).score(range(len(asks)))
        assert [answer.fault for answer in found] == ["the model's logits are not finite in float32"] + [None] * 5
        assert found[0].logprob is found[0].count is None
    scorer.best = None
    compare(scorer, slow, FIXED, LABELS_FIXED)


def test_what_cannot_be_asked_says_why():
    scorer = SCORERS["bytes, nothing added"]
    work = scorer.work([Ask("[Y] is [Y]"), Ask("nothing"), Ask("is [Y]")], candidates_of(scorer.tokenizer, ["R"]))
    assert work.faults == ["the prompt holds a slot of its own", "the prompt has no [Y]", None]


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_exact(over):
    """A sentence may fill all of the model's positions; one token more, in one candidate, and its ask is not put."""
    tokenizer = byte_level()
    model = tiny_causal("gpt2", tokenizer)
    asks = [Ask("x" * (LIMIT - 3 + over) + "[Y]"), Ask("is [Y]")]
    scorer = CausalScorer(model, tokenizer)
    long, short = answers(scorer, asks, ["z", "zz"])
    assert short.fault is None
    assert long.fault == (f"the prompt is longer than the model's {LIMIT} tokens" if over else None)
    if not over:
        compare(scorer, Slow(model, tokenizer), asks, ["z", "zz"])


def test_sizes_are_about_what_is_read():
    scorer = SCORERS["bytes, nothing added"]
    labels = ["東京", "日本", "Lima"]
    work = scorer.work([Ask(t.format("Italia")) for t in TEMPLATES], candidates_of(scorer.tokenizer, labels))
    for ask, size in zip(work.asks, work.sizes, strict=True):
        nodes = len(Trie([SLOW["bytes, nothing added"].ids(ask.prompt.replace("[Y]", label)) for label in labels]))
        assert nodes / 1.3 < size < nodes * 1.3, (ask.prompt, size, nodes)


def test_out_of_memory_halves_the_work(monkeypatch):
    """When only two rows fit at a time the sums are the same; when not even one does, the error says so."""
    tokenizer = sentence_piece()
    scorer = CausalScorer(tiny_causal("llama", tokenizer), tokenizer)
    expected, states, room, before = answers(scorer, FIXED, LABELS_FIXED), scorer.model.states, 2, scorer.tokens

    def small(trie, rows):
        if len(rows) > room:
            raise torch.OutOfMemoryError("not so much")
        return states(trie, rows)

    monkeypatch.setattr(scorer.model, "states", small)
    for ours, other in zip(answers(scorer, FIXED, LABELS_FIXED), expected, strict=True):
        np.testing.assert_allclose(ours.logprob, other.logprob, rtol=1e-6, atol=1e-5)
    assert scorer.tokens < before
    room = 0
    with pytest.raises(FactrootsError, match="out of memory on a single sequence"):
        answers(scorer, FIXED, LABELS_FIXED)


def test_refused_models():
    """A bidirectional model is none that a later token leaves alone; a tokenizer without BOS or EOS cannot begin."""
    tokenizer = sentence_piece()
    with pytest.raises(FactrootsError, match="is no causal LM"):
        CausalScorer(tiny_model("xlm-roberta", tokenizer), tokenizer)
    with pytest.raises(FactrootsError, match="neither a bos_token nor an eos_token"):
        CausalScorer(tiny_causal("llama", tokenizer), wordpiece())


def test_an_end_stands_in_for_a_beginning():
    tokenizer = byte_level()
    model = tiny_causal("llama", tokenizer)
    expected = answers(CausalScorer(model, tokenizer), FIXED[:1], LABELS_FIXED)[0]
    bare = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, eos_token=BOS, model_max_length=LIMIT)
    assert bare.bos_token_id is None
    found = answers(CausalScorer(model, bare), FIXED[:1], LABELS_FIXED)[0]
    np.testing.assert_array_equal(found.logprob, expected.logprob)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2", "bloom", "mamba"])
def test_half_precision(kind, dtype):
    """Half precision takes the short cuts that full precision takes, and stays near it."""
    tokenizer = sentence_piece()
    full, half = (CausalScorer(tiny_causal(kind, tokenizer).to(d), tokenizer) for d in (torch.float32, dtype))
    assert half.model.tree == full.model.tree
    assert isinstance(half.model.head, Blocks)
    ours, expected = (answers(scorer, FIXED, LABELS_FIXED) for scorer in (half, full))
    for a, b in zip(ours, expected, strict=True):
        counted = b.count > 0
        apart = np.abs(a.logprob - b.logprob)[counted] / b.count[counted]
        assert apart.mean() < (0.02 if dtype == torch.float16 else 0.15)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), max_size=5), min_size=1, max_size=10), st.integers(1, 6))
def test_tries_and_rows(sequences, room):
    """Nodes are the distinct prefixes in order; rows hold each once with all its ancestors, and each wide enough."""
    sequences = [[7, *one] for one in sequences]
    trie = Trie(sequences)
    prefixes = sorted({tuple(one[:n]) for one in sequences for n in range(1, len(one) + 1)})
    number = {prefix: i for i, prefix in enumerate(prefixes)}
    for one, path in zip(sequences, trie.paths, strict=True):
        assert path.tolist() == [number.get(tuple(one[: n + 1]), -1) if n < len(one) else -1 for n in range(len(path))]
    for i, prefix in enumerate(prefixes):
        below = [number[other] for other in prefixes if other[: len(prefix)] == prefix]
        assert (trie.token[i], trie.depth[i]) == (prefix[-1], len(prefix) - 1)
        assert (trie.parent[i], trie.end[i]) == (number.get(prefix[:-1], -1), max(below) + 1)
        assert trie.inner[i] == (len(below) > 1)
        assert trie.path(i).tolist() == [number[prefix[:n]] for n in range(1, len(prefix) + 1)]
    wanted = np.flatnonzero(trie.inner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "ROOM", room)
        for made in (rows.trees(trie, wanted), rows.trees(trie, wanted, 6), rows.paths(trie, wanted)):
            fresh = [node for row in made for node in row.nodes[row.fresh :].tolist()]
            assert fresh == wanted.tolist()
            for row in made:
                assert (np.diff(row.nodes) > 0).all()
                assert set(row.nodes.tolist()) >= {a for node in row.nodes for a in trie.path(node).tolist()}
        assert all(len(row.nodes) <= 6 for row in rows.trees(trie, wanted, 6))


def test_a_head_in_blocks_is_a_softmax():
    """Also with whole blocks of -inf, which some models give to entries that stand for nothing."""

    class Fixed:
        size = 130

        def logits(self, states, start, end):
            return states[:, start:end]

    logits = torch.randn(7, 130, generator=torch.Generator().manual_seed(0)) * 20
    logits[:, :60] = -torch.inf
    logits[3, 100] = torch.nan
    logits[4, 100] = torch.inf
    place, token = np.array([0, 6, 2, 2, 3, 4]), np.array([129, 60, 99, 70, 61, 62])
    expected = torch.log_softmax(logits.double(), -1)[place, token].numpy()
    found = logprobs(Fixed(), logits.clone(), place, token)
    np.testing.assert_allclose(found[:4], expected[:4], rtol=1e-6)
    assert np.isnan(found[4:]).all()
