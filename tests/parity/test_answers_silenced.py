"""All candidates under silencing: with nothing silent what the run has, and with neurons silent what hooks say."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from neuron_fixtures import KINDS, SECOND, by_hand, tiny
from probe_fixtures import probed, small_world

from data_builders.factset import FactSet
from probe import passes
from probe.judging import KINDS as JUDGES
from probe.judging import answers, items
from probe.prompts import relations
from probe.protocols import Protocol
from probe.running import by_labels, tokenizing
from probe.scoring.filled import opening
from probe.scoring.scorer import Ask, Candidates
from probe.tracing.neurons.answering import Silent, answering, can_answer
from probe.tracing.neurons.reading import Reader
from probe.tracing.roots.still import Judge

NOTHING = np.empty(0, np.int64)
PROTOCOLS = {"masked": ("kassner2021", "zhao2024-full", "zhao2024-partial"), "causal": ("bear",)}


@pytest.mark.parametrize(
    ("kind", "protocol"), [(kind, name) for kind, (family, *_) in KINDS.items() for name in PROTOCOLS[family]]
)
def test_nothing_silent_gives_the_run_s_own_answers(kind, protocol, tmp_path):
    """Every number of every question, and every judgement."""
    one, protocol = tiny(kind), Protocol.parse(protocol)
    facts = small_world(tmp_path / "facts", 6)
    scoring = passes.needed(protocol, one.family, ("it", "ja"))
    store, data = probed(tmp_path / "run", facts, one, scoring), FactSet.parse(facts).open()
    answer, parts, seen = answering(scoring, one, Reader(one)), passes.parts(scoring), Counter()
    for lang in data.langs:
        rows = {fact: row for _, own, _ in answers(store, lang, protocol) for row in own for fact in row["facts"]}
        rights = {}
        for relation, own, pool in answers(store, lang, protocol):
            asked = [item for row in own for item in items(row, relation, pool, "one", Counter())]
            hits = JUDGES[protocol.kind](pool, asked)["p1"] if asked else ()
            rights |= {item["item"]: hit >= 0.5 for item, hit in zip(asked, hits, strict=True)}
        judge = Judge(store, lang, protocol, "one", set(rows))
        for relation in relations(data, lang, tokenizing(one.tokenizer, lang, scoring), parts["shots"], parts["case"]):
            asked = {Ask(q.prompt, q.given, q.context): q for q in relation.questions if q.facts}
            for labels, own in by_labels(relation.labels, asked, parts["case"]):
                trials = [Silent(i, NOTHING) for i in range(len(own))]
                found = answer(own, Candidates(labels, relation.tokens, lang), trials)
                for ask, made in zip(own, found, strict=True):
                    for fact in asked[ask].facts:
                        for name in ("logprob", "normaliser", "argmax"):
                            if rows[fact].get(name) is not None:
                                np.testing.assert_allclose(getattr(made, name), rows[fact][name], rtol=1e-4, atol=1e-4)
                        if fact in rights:
                            assert judge.right(fact, made) == rights[fact]
                            seen[bool(rights[fact])] += 1
    assert sum(seen.values()) > 15


@pytest.mark.parametrize("kind", KINDS)
def test_silent_neurons_by_hand(kind, tmp_path):
    """Candidate by candidate through the whole model, with zeros put in at the answer's places."""
    one, draw = tiny(kind), np.random.default_rng(0)
    with torch.no_grad():
        for layer in range(2):  # so that what is silent is missed
            one.model.get_submodule(SECOND[kind].format(layer)).weight.mul_(10)
    reader = Reader(one)
    width = reader.neurons.widths[0]
    scoring = {"masked": "masks", "causal": "sentence"}[one.family]
    data, before = FactSet.parse(small_world(tmp_path, 3)).open(), None
    relation = next(relations(data, "it", tokenizing(one.tokenizer, "it", scoring)))
    asks = [Ask(q.prompt, None, "") for q in relation.questions if q.facts]
    trials = [Silent(i, draw.choice(2 * width, width, replace=False)) for i in (2, 0, 1, 0)]
    found = answering(scoring, one, reader)(asks, Candidates(relation.labels, relation.tokens, "it"), trials)
    if one.family == "causal":
        before = opening(one.tokenizer)
    changed, near = 0, {"masked": 2e-5, "causal": 1e-3}[one.family]
    for (number, neurons), answer in zip(trials, found, strict=True):
        for place, label in enumerate(relation.labels):
            tokens = relation.tokens[place]
            if before is None:
                text = asks[number].prompt.replace("[Y]", " ".join([one.tokenizer.mask_token] * len(tokens)))
                ids = one.tokenizer(text)["input_ids"]
                at = [i for i, token in enumerate(ids) if token == one.tokenizer.mask_token_id]
                said = list(zip(at, tokens, strict=True))
            else:
                left, _, right = asks[number].prompt.partition("[Y]")
                coded = one.tokenizer(left + label + right, add_special_tokens=False, return_offsets_mapping=True)
                ids = [*before, *coded["input_ids"]]
                spans = coded["offset_mapping"]
                at = [i + len(before) - 1 for i, (a, b) in enumerate(spans) if a < len(left + label) and b > len(left)]
                said = [(i - 1, ids[i]) for i in range(len(before), len(ids))]

            def zero(layer, x, at=at, neurons=neurons):
                x = x.clone()
                for n in neurons[neurons // width == layer] % width:
                    x[0, at, n] = 0
                return x

            def total(change, ids=ids, said=said):
                with by_hand(kind, one.model, change), torch.no_grad():
                    logits = torch.log_softmax(one.model(input_ids=torch.tensor([ids])).logits[0], -1)
                return sum(float(logits[i, token]) for i, token in said)

            assert answer.logprob[place] == pytest.approx(total(zero), abs=near)
            changed += abs(answer.logprob[place] - total(lambda *_: None)) > 10 * near
    assert changed > 3


def test_passes_that_cannot_say():
    assert can_answer("masks") and can_answer("sentence(shots=3)") and can_answer("masks(join=script)")
    assert not can_answer("l2r") and not can_answer("pseudo(metric=within_word_l2r)") and not can_answer("decode")
