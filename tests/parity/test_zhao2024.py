"""zhao2024-full and -partial against the published procedure (Zhao et al. 2024), written again here.

Each mask takes the most probable token of the whole vocabulary, for 1..n masks, n being the relation's longest object.
The lone "▁" (id 6 in XLM-R) is stripped from the object and the prediction. Full match: some prediction is the object.
Partial match: some prediction holds all of the object's tokens. P@1 is over all facts of a language.
"""

from __future__ import annotations

import random
from statistics import mean

import pytest
import torch
from probe_fixtures import fact, loaded, probed, rigged, tiny_model, unigram, wordpiece, write_facts
from test_kassner2021 import LABELS, TEMPLATES, made

from probe.protocols import Protocol
from probe.scores import score

PRESETS = ["zhao2024-full", "zhao2024-partial"]
KINDS = {"bert": wordpiece, "takes": lambda: unigram(True), "leaves": lambda: unigram(False)}


def matches(gold: list[int], predictions: list[list[int]], space: int | None, preset: str) -> bool:
    gold = [i for i in gold if i != space]
    predictions = [[i for i in one if i != space] for one in predictions]
    if preset == "zhao2024-full":
        return gold in predictions
    return any(all(i in one for i in gold) for one in predictions)


@torch.no_grad()
def zhao(model, tokenizer, rows: list[dict], preset: str) -> float:
    """P@1 as the published code gives it."""
    space = tokenizer.get_vocab().get("▁")
    longest = {}
    for row in rows:
        size = len(tokenizer(row["object"], add_special_tokens=False)["input_ids"])
        longest[row["relation"]] = max(size, longest.get(row["relation"], 0))
    hits = []
    for row in rows:
        predictions = []
        for masks in range(1, longest[row["relation"]] + 1):
            sentence = TEMPLATES[row["relation"]].replace("[X]", row["subject"])
            ids = tokenizer(sentence.replace("[Y]", " ".join([tokenizer.mask_token] * masks)))["input_ids"]
            best = model(input_ids=torch.tensor([ids])).logits[0].topk(1).indices[:, 0].tolist()
            predictions.append([best[i] for i, token in enumerate(ids) if token == tokenizer.mask_token_id])
        hits.append(
            matches(tokenizer(row["object"], add_special_tokens=False)["input_ids"], predictions, space, preset)
        )
    return mean(map(float, hits))


def partisan(tokenizer, seed: int):
    """A tiny model whose head likes the tokens of two labels and the lone space, so that it is right now and then."""
    model = tiny_model("bert" if tokenizer.unk_token == "[UNK]" else "xlm-roberta", tokenizer, seed)
    liked = {i for label in ("Roma", "Par", "▁") for i in tokenizer(label, add_special_tokens=False)["input_ids"]}
    with torch.no_grad():
        model.get_output_embeddings().bias[sorted(liked - {tokenizer.unk_token_id})] += 8
    return model


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_same_numbers(kind, preset, tmp_path):
    """Micro P@1 is that of the published procedure, on models that are sometimes right."""
    tokenizer, values = KINDS[kind](), []
    for seed in range(4):
        model, rows = partisan(tokenizer, seed), made(seed)
        facts = write_facts(tmp_path / f"facts{seed}", {"xx": rows}, {"xx": TEMPLATES})
        result = score(probed(tmp_path / f"run{seed}", facts, loaded(model, tokenizer)), Protocol.parse(preset))
        values.append(zhao(model, tokenizer, rows, preset))
        assert result.value == pytest.approx(values[-1], abs=1e-12)
        assert result.n_scored == len(rows) and result.languages[0].all.micro == result.value
    assert 0 < mean(values) < 1  # else nothing was compared


def test_any_predictions(tmp_path):
    """Whatever is chosen at the masks, full and partial matches are the published ones; partial ones are more."""
    tokenizer = unigram(False)
    space = tokenizer.get_vocab()["▁"]
    answers = ["Roma", "Roma Par", "Par", "東京", "Par Par Roma"]
    ids = {a: tokenizer(a, add_special_tokens=False)["input_ids"] for a in answers}
    some = sorted({i for own in ids.values() for i in own} | {space})
    rows = [fact("P36", f"s{i}", answers[i % 5]) for i in range(300)]
    said = {(row["subject"], n): random.Random(f"{row} {n}").choices(some, k=n) for row in rows for n in range(1, 9)}
    facts = write_facts(tmp_path / "facts", {"xx": rows}, {"xx": {"P36": "[X] [Y]"}})
    store = rigged(tmp_path / "run", facts, lambda *_: -1.0, lambda _, s, n: said[s, n], tokenizer)
    found = []
    for preset in PRESETS:
        masks = range(1, max(map(len, ids.values())) + 1)
        hits = [matches(ids[r["object"]], [said[r["subject"], n] for n in masks], space, preset) for r in rows]
        found.append(score(store, Protocol.parse(preset)).value)
        assert found[-1] == pytest.approx(mean(map(float, hits)))
    assert 0 < found[0] < found[1] < 1


ANSWERS = {"Italia": "Roma Par", "of": "Lima", "東京": "東京都"}


def spoken(chosen, tmp_path, tokenizer) -> dict[str, float]:
    """P@1 under both presets when `chosen(gold ids, masks)` is what a model says."""
    gold = {subject: tokenizer(answer, add_special_tokens=False)["input_ids"] for subject, answer in ANSWERS.items()}
    facts = write_facts(
        tmp_path / "facts", {"xx": [fact("P36", s, a) for s, a in ANSWERS.items()]}, {"xx": {"P36": "[X] [Y]"}}
    )
    store = rigged(
        tmp_path / "run", facts, lambda *_: -1.0, lambda _, subject, masks: chosen(gold[subject], masks), tokenizer
    )
    return {preset: score(store, Protocol.parse(preset)).value for preset in PRESETS}


def padded(ids: list[int], masks: int, with_: int) -> list[int]:
    return [*ids, *[with_] * masks][:masks]


def test_rigged_answers(tmp_path):
    """Right at its own length is enough; order matters to full alone; lone spaces and extra tokens as published."""
    tokenizer = unigram(False)
    space, other = tokenizer.get_vocab()["▁"], tokenizer.get_vocab()["X"]
    own = {"own length": lambda gold, n: gold if len(gold) == n else [other] * n}
    own["turned round"] = lambda gold, n: gold[::-1] if len(gold) == n else [other] * n
    own["spaces after it"] = lambda gold, n: padded([i for i in gold if i != space], n, space)
    own["more after it"] = lambda gold, n: padded(gold, n, other) if n > len(gold) else [other] * n
    own["never"] = lambda gold, n: [other] * n
    found = {name: tuple(spoken(chosen, tmp_path / name, tokenizer).values()) for name, chosen in own.items()}
    longest = max(len(tokenizer(a, add_special_tokens=False)["input_ids"]) for a in ANSWERS.values())
    shorter = mean(len(tokenizer(a, add_special_tokens=False)["input_ids"]) < longest for a in ANSWERS.values())
    assert found["own length"] == found["spaces after it"] == (1, 1)
    assert found["turned round"][0] < 1 and found["turned round"][1] == 1
    assert found["more after it"] == (0, pytest.approx(shorter)) and 0 < shorter < 1
    assert found["never"] == (0, 0)


def test_shuffled_golds(tmp_path):
    """A model that says each subject's old object scores one in ten once golds are shuffled among ten."""
    tokenizer = wordpiece()
    answers = [LABELS[i % 10] for i in range(600)]
    shuffled = random.Random(0).sample(answers, len(answers))
    ids = {f"s{i}": tokenizer(answer, add_special_tokens=False)["input_ids"] for i, answer in enumerate(answers)}
    for golds, low, high in ((answers, 1, 1), (shuffled, 0.07, 0.13)):
        rows = [fact("P36", f"s{i}", answer) for i, answer in enumerate(golds)]
        facts = write_facts(tmp_path / f"facts{low}", {"xx": rows}, {"xx": {"P36": "[X] [Y]"}})
        store = rigged(tmp_path / f"run{low}", facts, lambda *_: -1.0, lambda _, s, n: padded(ids[s], n, 0), tokenizer)
        assert low <= score(store, Protocol.parse("zhao2024-full")).value <= high
