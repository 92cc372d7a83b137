"""kassner2021 against mLAMA's own procedure (Kassner et al. 2021), written again here from its description.

Their script runs each fact with 1..n masks, takes log-probabilities over the whole vocabulary, scores candidates by
the mean over their tokens, keeps them in a dictionary by surface string, and counts a hit where the object has rank 0.
Their evaluation takes the mean over the facts of a relation, then over relations; relations with "date" are left out.
"""

from __future__ import annotations

import random
from statistics import mean

import numpy as np
import pytest
import torch
from probe_fixtures import fact, loaded, probed, rigged, tiny_model, unigram, wordpiece, write_facts

from probe.protocols import Protocol
from probe.scores import score

LABELS = ["Roma", "Par", "Lima", "Tunis", "東京", "กรุงเทพ", "القاهرة", "Roma Par", "la capital", "Monte", "Parma"]
TEMPLATES = {
    "P36": "the capital of [X] is [Y].",
    "P19": "[Y] la [X]",
    "P30": "[X]の首都は[Y]です。",
    "date_of_birth": "[X] is [Y]",
}


def made(seed: int) -> list[dict]:
    """Facts of four relations; some subjects have several objects, some objects are namesakes."""
    draw = random.Random(seed)
    rows = {}
    for relation in TEMPLATES:
        own = draw.sample(LABELS, 6)
        for number in range(12):
            subject, answer = f"{draw.choice('abcdefg')} {draw.choice(['Italia', '東京', 'of'])}", draw.choice(own)
            namesake = f"O:{answer}{draw.choice(['', '', '2'])}"
            row = fact(relation, subject, answer, object_uri=namesake, fact=f"{relation}{number}")
            rows[relation, subject, namesake] = row
    return list(rows.values())


@torch.no_grad()
def mlama(model, tokenizer, rows: list[dict]) -> dict[str, float]:
    """P@1 by relation as mLAMA's script gives it."""
    precision = {}
    for relation, template in TEMPLATES.items():
        facts = [row for row in rows if row["relation"] == relation]
        objects = {row["object"]: tokenizer.tokenize(row["object"]) for row in facts}
        longest = max(map(len, objects.values()))
        hits = []
        for row in facts:
            scores = {}
            for masks in range(1, longest + 1):
                sentence = template.replace("[X]", row["subject"])
                sentence = sentence.replace("[Y]", " ".join([tokenizer.mask_token] * masks))
                ids = tokenizer(sentence, return_tensors="pt")["input_ids"]
                log_probs = torch.log_softmax(model(input_ids=ids).logits, dim=-1)[0].numpy()
                places = np.flatnonzero(ids[0].numpy() == tokenizer.mask_token_id)
                for label, tokens in objects.items():
                    if len(tokens) == masks:
                        wanted = tokenizer.convert_tokens_to_ids(tokens)
                        scores[label] = np.mean([log_probs[p, t] for p, t in zip(places, wanted, strict=True)])
            ranked = [label for label, _ in sorted(scores.items(), key=lambda pair: -pair[1])]
            hits.append(ranked.index(row["object"]) == 0)
        precision[relation] = mean(map(float, hits))
    return precision


@pytest.mark.parametrize(
    "kind", ["bert", "xlm-roberta, <mask> takes the space", "xlm-roberta, <mask> leaves the space"]
)
@pytest.mark.parametrize("seed", range(3))
def test_same_numbers(kind, seed, tmp_path):
    """P@1 of every relation, and their mean, are those of the published procedure."""
    tokenizer = wordpiece() if kind == "bert" else unigram("takes" in kind)
    model = tiny_model(kind.partition(",")[0], tokenizer, seed)
    rows = made(seed)
    facts = write_facts(tmp_path / "facts", {"xx": rows}, {"xx": TEMPLATES})
    result = score(
        probed(tmp_path / "run", facts, loaded(model, tokenizer)), Protocol.parse("kassner2021(identity=label)")
    )
    expected = {name: value for name, value in mlama(model, tokenizer, rows).items() if "date" not in name}
    ours = {name: own.value for name, own in result.languages[0].relations.items()}
    assert ours == pytest.approx(expected, abs=1e-12)
    assert result.value == pytest.approx(mean(expected.values()), abs=1e-12)
    assert sum(result.n_unscored.values()) == sum(row["relation"] == "date_of_birth" for row in rows)


def large(shuffled: bool) -> list[dict]:
    """Forty relations of thirty facts with objects drawn evenly from ten; shuffled among them, if asked."""
    draw = random.Random(1)
    rows = []
    for relation in range(40):
        answers = [LABELS[i % 10] for i in range(30)]
        if shuffled:
            draw.shuffle(answers)
        rows += [fact(f"P{relation}", f"s{i}", answer) for i, answer in enumerate(answers)]
    return rows


@pytest.mark.parametrize("protocol", ["kassner2021", "kassner2021(identity=label)", "kassner2021(combine=sum)"])
def test_controls(protocol, tmp_path):
    """A model that prefers the right object scores 1; where golds are shuffled, it scores chance."""
    gold = {(row["relation"], row["subject"]): row["object"] for row in large(False)}

    def prefers(relation: str, subject: str, label: str) -> float:
        return -1.0 if gold[relation, subject] == label else -20.0 - len(label)

    templates = {"xx": {f"P{i}": "[X] is [Y]" for i in range(40)}}
    values = {}
    for shuffled in (False, True):
        facts = write_facts(tmp_path / f"facts{shuffled}", {"xx": large(shuffled)}, templates)
        values[shuffled] = score(rigged(tmp_path / f"run{shuffled}", facts, prefers), Protocol.parse(protocol))
    assert values[False].value == 1.0
    assert values[True].baselines["chance"] == pytest.approx(0.1)
    assert values[True].value == pytest.approx(0.1, abs=0.03)  # three standard errors of 1,200 draws
