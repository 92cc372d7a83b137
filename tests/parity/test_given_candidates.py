"""Prompts and candidates that a set brings (BMLAMA), and several templates of a relation, against the slow way."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
from probe_fixtures import LIMIT, fact, loaded, probed, tiny_model, wordpiece, write_facts
from slow_scores import Slow, candidates_of

from probe.protocols import Protocol
from probe.scores import judge, score

HEADER = "Prompt\tAns\tCandidate Ans\tSubject"
ROWS = [
    "the capital of Italia is <mask>.\tRoma\tRoma, Par, capital\tItalia",
    "the capital of Italia is <mask>.\tla\tla, Par\tItalia",  # the same sentence with another choice
    "the capital of Par is <mask>.\tbab\tRoma, bab, 東京\tPar",
]


def test_given_candidates(tmp_path):
    """Each row is scored on its own candidates and no others, a sentence asked twice included."""
    folder = tmp_path / "bmlama"
    folder.mkdir()
    (folder / "en.tsv").write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer)
    store = probed(tmp_path / "run", f"bmlama:{folder}", loaded(model, tokenizer))
    slow, candidates = Slow(model, tokenizer, LIMIT), candidates_of(store, "en")
    found, hits, chance = {}, [], []
    for row in pq.read_table(store.items("en")).to_pylist():
        if not row["facts"]:  # the prompt without its subject, for the prior: over all that is chosen among
            assert row["subject"] == "" and row["prompt"] == row["bare"]
            assert len(row["logprob"]) == len(row["given"]) >= 2
            continue
        labels = [candidates[row["relation"]][place]["label"] for place in row["given"]]
        expected = [slow.score(row["prompt"], label) for label in labels]
        np.testing.assert_allclose(row["logprob"], expected, atol=1e-5)
        found[row["facts"][0]] = labels
        means = [total / len(slow.tokens(label)) for total, label in zip(expected, labels, strict=True)]
        hits.append(row["given"][int(np.argmax(means))] in row["golds"])
        chance.append(1 / len(labels))
    assert sorted(map(len, found.values())) == [2, 3, 3]
    assert sorted(found["row-00001"]) == ["Par", "la"]
    result = score(store, Protocol.parse("kassner2021(aggregate=micro)"))
    assert result.value == np.mean(hits)
    assert np.isclose(result.baselines["chance"], np.mean(chance))
    assert "candidates:given" in result.signature


def test_all_templates(tmp_path):
    """With templates=all every template is asked, each as the slow way scores it; with first, the first."""
    rows = [fact(relation, "Italia", "Roma") for relation in ("P1", "P2")]
    facts = write_facts(
        tmp_path / "two", {"it": rows}, {"it": {"P1": ["[X] is [Y].", "[Y] la [X]."], "P2": ["the [Y] of [X]"]}}
    )
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer)
    slow = Slow(model, tokenizer, LIMIT)
    for choice, expected in (("all", {("P1", 0), ("P1", 1), ("P2", 0)}), ("first", {("P1", 0), ("P2", 0)})):
        store = probed(tmp_path / choice, f"{facts}(templates={choice})", loaded(model, tokenizer))
        items = [row for row in pq.read_table(store.items("it")).to_pylist() if row["facts"]]
        assert {(row["relation"], row["template"]) for row in items} == expected
        for row in items:
            np.testing.assert_allclose(row["logprob"], [slow.score(row["prompt"], "Roma")], atol=1e-5)
        frame = judge(store, Protocol.parse("kassner2021"), "one")["it"].frame
        assert len(frame) == len(expected)
