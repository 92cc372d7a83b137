"""What a model reads for a fact's neurons, and the places where the answer is said."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq
import pytest
from causal_fixtures import TOKENIZERS, Slow, tiny_causal
from neuron_fixtures import asked_of, slow_logprob, tiny
from probe_fixtures import fact, loaded, probed, small_world, write_facts
from tokenizers import decoders

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from probe.tracing.neurons.asked import questions
from probe.tracing.neurons.reading import Reader

FACTS = {"ja": [fact("P36", "aa", "日本東"), fact("P36", "bb", "Roma"), fact("P36", "cc", "都は")]}
TEMPLATES = {"ja": {"P36": "[X] is [Y]は."}}


def spelled(tokenizer, ids) -> str:
    """Token ids as text, for tokenizers that have no decoder of their own."""
    tokens = tokenizer.convert_ids_to_tokens(ids)
    decoder = decoders.Metaspace() if any("▁" in token for token in tokenizer.get_vocab()) else decoders.ByteLevel()
    return decoder.decode(tokens)


def test_masks(tmp_path):
    """As many masks as the object has tokens, and its tokens to be said there."""
    one = tiny("bert")
    ((name, asked),) = asked_of(one, write_facts(tmp_path, FACTS, TEMPLATES), "ja")
    assert name == "P36"
    for own, row in zip(asked, FACTS["ja"], strict=True):
        tokens = one.tokenizer(row["object"], add_special_tokens=False)["input_ids"]
        prompt = f"{row['subject']} is {' '.join(['[MASK]'] * len(tokens))}は."
        assert own.ids == tuple(one.tokenizer(prompt)["input_ids"])
        assert [i for i, t in enumerate(own.ids) if t == one.tokenizer.mask_token_id] == list(own.places)
        assert own.targets == tuple(tokens)
        assert own.subject_uri == row["subject_uri"]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_sentences(name, tmp_path):
    """The whole sentence, as the causal scorer reads it; what is predicted is the answer, token by token."""
    tokenizer = TOKENIZERS[name]()
    one = loaded(tiny_causal("gpt2", tokenizer), tokenizer)._replace(family="causal")
    ((_, asked),) = asked_of(one, write_facts(tmp_path, FACTS, TEMPLATES), "ja")
    for own, row in zip(asked, FACTS["ja"], strict=True):
        assert list(own.ids) == Slow(one.model, tokenizer).ids(f"{row['subject']} is {row['object']}は.")
        assert own.targets == tuple(own.ids[place + 1] for place in own.places)
        assert list(own.places) == list(range(own.places[0], own.places[0] + len(own.places)))
        text = spelled(tokenizer, own.targets).strip()
        assert text.startswith(row["object"])
        assert text in (row["object"], row["object"] + "は")  # a token may reach over the answer's end


def test_context_and_capital(tmp_path):
    """Shots stand before the sentence and are not asked themselves; what begins a sentence has its capital."""
    rows = {"it": [fact("P36", "aa", "la"), fact("P36", "bb", "is"), fact("P36", "cc", "bo")]}
    world = write_facts(tmp_path, rows, {"it": {"P36": "[Y] of [X]."}})
    one, unasked = tiny("gpt2"), Counter()
    ((_, asked),) = asked_of(one, world, scoring="sentence(case=capital,shots=1)", unasked=unasked)
    assert unasked == {"one of the shots": 1}
    assert len(asked) == 2
    for own in asked:
        text = spelled(one.tokenizer, own.ids[1:])
        assert text.count("\n") == 1
        first = next(row for row in rows["it"] if row["subject_uri"] == own.subject_uri)
        assert spelled(one.tokenizer, own.targets) == first["object"].capitalize()
        assert text.endswith(f"\n{first['object'].capitalize()} of {first['subject']}.")


def test_what_cannot_be_asked_is_counted(tmp_path):
    rows = {"it": [fact("P36", "a" * 60, "Roma"), fact("P36", "bb", "Roma"), fact("P37", "bb", "la")]}
    world = write_facts(tmp_path, rows, {"it": {"P36": "[X] is [Y]."}})
    for kind in ("bert", "gpt2"):
        unasked = Counter()
        found = dict(asked_of(tiny(kind), world, unasked=unasked))
        assert [one.subject_uri for one in found["P36"]] == ["S:bb"]
        assert found["P37"] == []
        assert unasked == {"the prompt is longer than the model's 48 tokens": 1, "no template for the relation": 1}


def test_right_facts_alone(tmp_path):
    world = small_world(tmp_path)
    every = [own.fact for _, asked in asked_of(tiny("bert"), world) for own in asked]
    found = [own.fact for _, asked in asked_of(tiny("bert"), world, right=set(every[::3])) for own in asked]
    assert found == every[::3]


def test_one_template_and_every_object(tmp_path):
    """Of several templates the first; of several objects of a subject each is a fact of its own."""
    rows = {"it": [fact("P36", "aa", "Roma", fact="f1"), fact("P36", "aa", "la", fact="f2")]}
    world = write_facts(tmp_path, rows, {"it": {"P36": ["[X] is [Y].", "[Y] la [X]."]}})
    ((_, asked),) = asked_of(tiny("bert"), f"{world}(templates=all)")
    assert sorted(own.fact for own in asked) == ["f1", "f2"]
    assert len({own.ids for own in asked}) == 1
    assert len({own.targets for own in asked}) == 2


def test_sequence_to_sequence_models_are_refused(tmp_path):
    one = tiny("bert")._replace(family="seq2seq")
    data = FactSet.parse(small_world(tmp_path)).open()
    for refused in (lambda: next(questions(data, one, "it")), lambda: Reader(one)):
        with pytest.raises(FactrootsError, match="is a seq2seq LM, and neurons are traced in masked and causal LMs"):
            refused()


def test_log_probabilities_are_the_scorer_s(tmp_path):
    """The answer's places say what the run's own pass says of the gold: the sum of the masks, to rounding."""
    one, world = tiny("bert"), small_world(tmp_path / "facts")
    store = probed(tmp_path / "run", world, one)
    kept = {
        fact_: row["logprob"][gold]
        for row in pq.read_table(store.items("ja")).to_pylist()
        for fact_, gold in zip(row["facts"], row["golds"], strict=True)
    }
    for _, asked in asked_of(one, world, "ja"):
        for own in asked:
            assert float(slow_logprob(one.model, own).detach()) == pytest.approx(kept[own.fact], abs=1e-4)
