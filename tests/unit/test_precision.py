"""A run in half precision says how many of its ranks float32 changes."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner
from probe_fixtures import save_model, small_world, tiny_model, wordpiece

from probe.cli import main
from probe.scoring.masked import MaskedScorer


@pytest.fixture
def words(tmp_path, monkeypatch) -> list[str]:
    """A run of a model whose logits all lie so near 4 that bfloat16 cannot tell them apart, on any processor."""
    tokenizer = wordpiece()
    model = tiny_model("bert", tokenizer)
    head = model.cls.predictions
    with torch.no_grad():
        head.bias.fill_(4.0)
        for parameter in head.transform.LayerNorm.parameters():
            parameter.mul_(1e-4)
    save_model(tmp_path / "model", model, tokenizer)
    facts = small_world(tmp_path / "facts", subjects=15)
    monkeypatch.chdir(tmp_path)
    return ["run", "--model", "./model", "--factset", facts, "--output", "run", "--json", "--quiet"]


def record(words: list[str]) -> dict:
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def means(path) -> dict[tuple, tuple[np.ndarray, int]]:
    lengths = {}
    for row in pq.read_table(path.parent / path.name.replace("items", "candidates")).to_pylist():
        lengths.setdefault(row["relation"], []).append(len(row["tokens"]))
    return {
        (row["relation"], fact): (np.array(row["logprob"]) / lengths[row["relation"]], gold)
        for row in pq.read_table(path).to_pylist()
        for fact, gold in zip(row["facts"], row["golds"], strict=True)
    }


def test_ranks_that_differ_are_counted(words, tmp_path):
    """The count is what comes out of the two runs' files by hand, over facts that are in both."""
    found = record([*words, "--dtype", "bfloat16"])["float32"]
    items = ranks = answers = 0
    for lang in ("it", "ja"):
        half, whole = (means(tmp_path / part / f"items-{lang}.parquet") for part in ("run", "run/float32"))
        assert set(whole) < set(half)
        for key, (exact, gold) in whole.items():
            rough, same = half[key]
            assert gold == same
            places = [((m > m[gold]).sum(), (m == m[gold]).sum()) for m in (rough, exact)]
            items += 1
            ranks += places[0] != places[1]
            answers += (places[0][0] == 0) / places[0][1] != (places[1][0] == 0) / places[1][1]
    assert items == 2 * 2 * 10
    assert found == {"items": items, "ranks_differ": ranks, "answers_differ": answers}
    assert ranks, "bfloat16 changes no rank here: the test would not see a count that is stuck at none"


def test_float32_is_not_compared_with_itself(words, tmp_path):
    assert record(words)["float32"] is None
    assert not (tmp_path / "run" / "float32").exists()


def test_a_model_that_overflows_is_not_scored(words, monkeypatch):
    """Null control: where logits are not finite there is no answer, and the count of those says in which format."""
    plain = MaskedScorer.score

    def broken(self, prompts, candidates):
        kept = plain(self, prompts, candidates)
        kept.normaliser[-1] = np.nan
        return kept

    monkeypatch.setattr(MaskedScorer, "score", broken)
    found = record(words)
    (reason,) = found["n_unscored"]
    assert reason == "the model's logits are not finite in float32"
    assert found["n_scored"] + found["n_unscored"][reason] == 60
