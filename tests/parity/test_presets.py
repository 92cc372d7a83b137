"""Presets that read a run of masks in their own way, each against its script's procedure in plain loops."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from probe_fixtures import LIMIT, fact, loaded, probed, tiny_model, unigram, wordpiece, write_facts
from slow_scores import Slow, candidates_of

from data_builders.errors import FactrootsError
from probe.protocols import Protocol
from probe.scores import judge, score

TEMPLATES = {"it": {"P36": ["the capital of [X] is [Y].", "[Y] la [X]."], "P47": "the [Y] of [X]"}}
ROWS = [
    fact("P36", "Italia", "Roma"),
    fact("P36", "Italia", "Par la"),
    fact("P36", "Par", "Lima is"),
    fact("P36", "la Roma", "a"),
    fact("P47", "Italia", "Tunis"),
    fact("P47", "a b", "capital of"),
    fact("P47", "Lima", "a b c"),
    fact("P47", "Tunis", "Roma la"),
    fact("P36", "Tunis", "is of the"),
    fact("P36", "a b c", "Par"),
]


@pytest.fixture(scope="module", params=["wordpiece", "unigram"])
def finished(request, tmp_path_factory):
    """A run over one- and several-token objects and two templates, and the slow way to score it."""
    tokenizer = wordpiece() if request.param == "wordpiece" else unigram(True)
    kind = "bert" if request.param == "wordpiece" else "xlm-roberta"
    model = tiny_model(kind, tokenizer, seed=1, initializer_range=1.0)  # so that denominators differ from mask to mask
    folder = tmp_path_factory.mktemp(request.param)
    facts = write_facts(folder / "facts", {"it": ROWS}, TEMPLATES)
    return probed(folder / "run", f"{facts}(templates=all)", loaded(model, tokenizer)), Slow(model, tokenizer, LIMIT)


def rows_of(store) -> list[dict]:
    choice = candidates_of(store, "it")
    found = pq.read_table(store.items("it")).to_pylist()
    return [row | {"labels": [c["label"] for c in choice[row["relation"]]]} for row in found]


@torch.no_grad()
def mean_logit(slow: Slow, prompt: str, label: str) -> float:
    """mParaRel's score: the mean over the masks of the raw logit of the candidate's token."""
    tokens = slow.tokens(label)
    ids = slow.ids_of(prompt, len(tokens))
    logits = slow.model(input_ids=torch.tensor([ids])).logits[0].double()
    masks = [i for i, token in enumerate(ids) if token == slow.tokenizer.mask_token_id]
    return float(np.mean([float(logits[i, t]) for i, t in zip(masks, tokens, strict=True)]))


def first_place(scores: list[float], golds: set[int]) -> float:
    """Right, or the golds' share of the first place."""
    best = [i for i, value in enumerate(scores) if value == max(scores)]
    return sum(i in golds for i in best) / len(best)


def macro(hits: dict[str, list[float]]) -> float:
    return float(np.mean([np.mean(values) for values in hits.values()]))


def test_mpararel_compares_raw_logits(finished):
    """Mean raw logits over masks, a template and a fact at a time; mean over facts and templates, then relations."""
    store, slow = finished
    hits = defaultdict(list)
    differ = 0
    for row in rows_of(store):
        if row["facts"]:
            logits = [mean_logit(slow, row["prompt"], label) for label in row["labels"]]
            means = [slow.score(row["prompt"], label) / len(slow.tokens(label)) for label in row["labels"]]
            differ += np.argsort(logits).tolist() != np.argsort(means).tolist()
            hits[row["relation"]] += [first_place(logits, {gold}) for gold in row["golds"]]
    assert score(store, Protocol.parse("mpararel")).value == pytest.approx(macro(hits))
    assert differ, "raw logits and log-probabilities rank alike here: the test would not tell them apart"


def test_dlama_takes_a_list_of_golds(finished):
    """One item a subject, right if the best candidate is any of its objects; the policy is the protocol's own."""
    store, slow = finished
    hits = defaultdict(list)
    for row in rows_of(store):
        if row["facts"]:
            means = [slow.score(row["prompt"], label) / len(slow.tokens(label)) for label in row["labels"]]
            hits[row["relation"]].append(first_place(means, set(row["golds"])))
    result = score(store, Protocol.parse("dlama"))
    assert result.value == pytest.approx(macro(hits))
    assert result.n_scored == sum(map(len, hits.values())) < len(ROWS) * 2
    assert "gold:any" in result.signature
    assert score(store, Protocol.parse("kassner2021"), gold="any").value == result.value


def test_the_subject_removed(finished):
    """prior=removed ranks by the difference from the sentence without its subject."""
    store, slow = finished
    hits = defaultdict(list)
    for row in rows_of(store):
        if not row["facts"]:
            continue
        template = TEMPLATES["it"][row["relation"]]
        template = template if isinstance(template, str) else template[row["template"]]
        bare = " ".join(template.replace("[X]", "").split())
        gain = [
            (slow.score(row["prompt"], label) - slow.score(bare, label)) / len(slow.tokens(label))
            for label in row["labels"]
        ]
        hits[row["relation"]] += [first_place(gain, {gold}) for gold in row["golds"]]
    assert score(store, Protocol.parse("typed(join=space,prior=removed)")).value == pytest.approx(macro(hits))


def test_other_subjects(finished):
    """prior=subjects ranks by the difference from the log of the mean probability that other subjects give."""
    store, slow = finished
    rows = [row for row in rows_of(store) if row["facts"]]
    shares = []
    for row in rows:
        means = np.array([slow.score(row["prompt"], label) / len(slow.tokens(label)) for label in row["labels"]])
        shares.append(np.exp(means) / np.exp(means).sum())
    hits = defaultdict(list)
    for row, own in zip(rows, shares, strict=True):
        same = [
            (r, s)
            for r, s in zip(rows, shares, strict=True)
            if (r["relation"], r["template"]) == (row["relation"], row["template"])
        ]
        prior = np.mean([s for r, s in same if r["subject_uri"] != row["subject_uri"]], axis=0)
        hits[row["relation"]] += [first_place((np.log(own) - np.log(prior)).tolist(), {gold}) for gold in row["golds"]]
    assert score(store, Protocol.parse("typed(join=space,prior=subjects)")).value == pytest.approx(macro(hits))


def test_a_prior_that_there_is_not(tmp_path):
    """One subject alone has no others: it is counted as unscored, with the reason."""
    tokenizer = wordpiece()
    facts = write_facts(tmp_path / "facts", {"it": ROWS[:1] + ROWS[4:7]}, TEMPLATES)
    store = probed(tmp_path / "run", facts, loaded(tiny_model("bert", tokenizer), tokenizer))
    result = score(store, Protocol.parse("typed(join=space,prior=subjects)"))
    assert result.n_unscored == {"no prior: no other subject was asked about all of its candidates": 1}
    assert result.n_scored == 3


def test_shots_stand_before_and_leave_the_facts(tmp_path):
    """The first facts by hash are shown solved before every sentence of their relation, and are not asked."""
    tokenizer = wordpiece(limit=200)
    model = tiny_model("bert", tokenizer, max_position_embeddings=200)
    names = ["Italia", "Par", "Lima", "Roma", "Tunis", "la", "of"]
    rows = [fact("P47", name, answer) for name, answer in zip(names, [*names[1:], names[0]], strict=True)]
    facts = write_facts(tmp_path / "facts", {"it": rows}, TEMPLATES)
    store = probed(tmp_path / "run", facts, loaded(model, tokenizer), "masks(shots=2)")
    protocol = Protocol.parse("kassner2021(shots=2)")
    result = score(store, protocol)
    assert result.n_unscored == {"one of the shots": 2} and result.n_scored == 5
    assert "shots:2" in result.signature and "scoring:masks(shots=2)" in result.signature
    items = rows_of(store)
    shown = [row for row in items if row["fault"]]
    answers = {row["subject"]: row["object"] for row in rows}
    slow = Slow(model, tokenizer, 200)
    asked = [row for row in items if row["facts"] and not row["fault"]]
    contexts = [
        "".join(f"the {answers[row['subject']]} of {row['subject']}\n" for row in order)
        for order in (shown, shown[::-1])
    ]
    for row in asked:
        found = [[slow.score(context + row["prompt"], label) for label in row["labels"]] for context in contexts]
        assert any(np.allclose(row["logprob"], values, atol=1e-5) for values in found)
    with pytest.raises(FactrootsError, match=r"holds the pass masks\(shots=2\), and kassner2021 needs masks;"):
        judge(store, Protocol.parse("kassner2021"), "one")
