"""How much of the planted world the demo model knows: typed P@1 in its plainest form, for the model card."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from data_builders.facts import Template
from data_builders.planted.world import read_about, read_presence
from data_builders.sources import Source


class Answer(NamedTuple):
    """One probed fact: was it stated in this language, which object is right, and which came first of how many."""

    lang: str
    relation: str
    stated: bool
    object: str
    best: str
    candidates: int


def answer_all(model, tokenizer, world: Path, source: Source, languages: list[str] | None = None) -> list[Answer]:
    """Probe every fact of `world` with the first template of its relation.

    Candidates are all objects of the relation in that language; see :func:`best_candidates` for the score.
    """
    from data_builders.errors import Problems

    answers = []
    rows = read_presence(world).to_pylist()
    for lang in languages or read_about(world)["languages"]:
        first = {}
        for template in source.templates(lang, Problems()):
            first.setdefault(template.relation, template)
        facts = defaultdict(list)
        for row in (row for row in rows if row["lang"] == lang):
            facts[row["relation"]].append(row)
        for relation, group in facts.items():
            candidates = sorted({row["object"] for row in group})
            best = best_candidates(model, tokenizer, first[relation], [row["subject"] for row in group], candidates)
            answers += [
                Answer(lang, relation, row["stated"], row["object"], top, len(candidates))
                for row, top in zip(group, best, strict=True)
            ]
    return answers


def best_candidates(model, tokenizer, template: Template, subjects: list[str], candidates: list[str]) -> list[str]:
    """The best candidate for each subject: each has as many masks as pieces, and its score is the mean log-probability
    of its pieces, each at its own mask (Kassner et al. 2021, LAMA's rule for several tokens)."""
    import torch

    pieces = [tokenizer(name, add_special_tokens=False)["input_ids"] for name in candidates]
    scores = torch.full((len(subjects), len(candidates)), float("-inf"))
    for length in sorted({len(ids) for ids in pieces}):
        columns = [column for column, ids in enumerate(pieces) if len(ids) == length]
        wanted = torch.tensor([pieces[column] for column in columns])
        masks = " ".join([tokenizer.mask_token] * length)
        for start in range(0, len(subjects), 64):
            texts = [template.fill(subject, masks) for subject in subjects[start : start + 64]]
            coded = tokenizer(texts, padding=True, return_tensors="pt")
            places = coded["input_ids"] == tokenizer.mask_token_id
            with torch.inference_mode():
                states = model.bert(coded["input_ids"], attention_mask=coded["attention_mask"])[0]
                logs = model.cls(states[places]).log_softmax(-1).view(len(texts), length, -1)
            found = [logs[:, place, wanted[:, place]] for place in range(length)]
            scores[start : start + 64, columns] = torch.stack(found).mean(0)
    return [candidates[column] for column in scores.argmax(1).tolist()]


class Rate(NamedTuple):
    """P@1 over `n` facts, over all of them and as the mean of the relations; the same for always answering the most
    frequent object of these very facts, and the mean of one over the number of candidates."""

    n: int
    micro: float
    macro: float
    majority: float
    majority_macro: float
    chance: float


def rate(answers: list[Answer]) -> Rate:
    """The figures for `answers` of one language; all NaN when there are none."""
    groups = defaultdict(list)
    for answer in answers:
        groups[answer.relation].append(answer)
    right = {name: sum(a.best == a.object for a in group) for name, group in groups.items()}
    common = {name: Counter(a.object for a in group).most_common(1)[0][1] for name, group in groups.items()}
    n = len(answers)
    if not n:
        return Rate(0, *[float("nan")] * 5)

    def mean(counts: dict[str, int]) -> float:
        return sum(counts[name] / len(group) for name, group in groups.items()) / len(groups)

    chance = sum(1 / answer.candidates for answer in answers) / n
    return Rate(n, sum(right.values()) / n, mean(right), sum(common.values()) / n, mean(common), chance)
