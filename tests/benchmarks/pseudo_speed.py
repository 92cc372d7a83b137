"""Pseudo-log-likelihoods against LM-PUB-QUIZ 0.3.3 on the same sentences; see `--help`.

For each model and metric: how many times faster, as ratios taken in turn in one run, by how much the scores differ at
most, and the peak memory of each side in a process of its own, beyond what the model alone takes (Linux).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lm_pub_quiz import Evaluator
from probe_speed import seconds, spread, xlmr_tokenizer
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, XLMRobertaConfig, XLMRobertaForMaskedLM

from data_builders.factset import FactSet
from fine_tuning.models import load_masked
from probe.memory import give_back
from probe.prompts import relations
from probe.scoring.pseudo import PseudoScorer
from probe.scoring.scorer import Ask, Candidates, batches

METRICS = ("within_word_l2r", "original")
#: Inputs of a batch of LM-PUB-QUIZ's, as in its own examples; with 1, its default, it is five times slower.
BATCH = 32


class Job(NamedTuple):
    """Prompts of a relation in a language, and its candidates."""

    prompts: list[str]
    candidates: Candidates


def demo():
    loaded = load_masked("demo")
    return loaded.model, loaded.tokenizer


def bert():
    """Two random layers of BERT base, under the English pieces of a package of tests/models.txt or the demo's."""
    spec = find_spec("cognition")
    tokenizer = AutoTokenizer.from_pretrained(Path(spec.submodule_search_locations[0]) / "model") if spec else demo()[1]
    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), num_hidden_layers=2)).eval(), tokenizer


def xlmr():
    """Two random layers of XLM-R base with its 250,002 vocabulary entries."""
    torch.manual_seed(0)
    config = XLMRobertaConfig(vocab_size=250_002, max_position_embeddings=514, num_hidden_layers=2)
    return XLMRobertaForMaskedLM(config).eval(), xlmr_tokenizer(instead=demo()[1])


class Case(NamedTuple):
    """A model, and how many of the atlas's facts of which relations it is asked in each language."""

    make: Callable
    relations: str
    facts: int


CASES = {
    "demo": Case(demo, "P30;P36;P361", 4),
    "bert": Case(bert, "P30;P361", 1),
    "xlmr": Case(xlmr, "P30", 2),
}


def jobs_of(case: Case, tokenizer) -> list[Job]:
    data = FactSet.parse(f"atlas(relations={case.relations},langs=en;it)").open()
    tokens = lambda labels: tokenizer(labels, add_special_tokens=False)["input_ids"]  # noqa: E731
    return [
        Job(
            [question.prompt for question in relation.questions if question.facts][: case.facts],
            Candidates(relation.labels, relation.tokens, lang),
        )
        for lang in data.langs
        for relation in relations(data, lang, tokens)
    ]


def ours(model, tokenizer, metric: str, jobs: list[Job]) -> list[np.ndarray]:
    scorer, found = PseudoScorer(model, tokenizer, metric), []
    for prompts, candidates in jobs:
        work = scorer.work([*map(Ask, prompts)], candidates)
        values = np.empty((len(prompts), len(candidates.labels)))
        for batch in batches(work):
            values[batch] = [answer.logprob for answer in work.score(batch)]
        found.append(values)
    return found


def theirs(model, tokenizer, metric: str, jobs: list[Job]) -> list[np.ndarray]:
    evaluator = Evaluator.from_model(
        model, model_type="MLM", tokenizer=tokenizer, model_name="random", capitalize=False, pll_metric=metric
    )
    keys = {"reduction": "sum", "batch_size": BATCH}
    return [
        np.array([evaluator.score_answers(template=prompt, answers=own.labels, **keys) for prompt in prompts])
        for prompts, own in jobs
    ]


SIDES = {"factroots": ours, "lm-pub-quiz": theirs}


def compare(name: str, metric: str, rounds: int) -> None:
    model, tokenizer = CASES[name].make()
    jobs = jobs_of(CASES[name], tokenizer)
    pairs = list(zip(ours(model, tokenizer, metric, jobs), theirs(model, tokenizer, metric, jobs), strict=True))
    worst = max(np.abs(a - b).max() for a, b in pairs)
    faster = []
    for _ in range(rounds):
        slow = seconds(theirs, model, tokenizer, metric, jobs)
        faster.append(slow / seconds(ours, model, tokenizer, metric, jobs))
    sentences = sum(a.size for a, _ in pairs)
    print(f"{name}, {metric}: {sentences:,} sentences; scores differ by {worst:.1e} at most")
    print(f"  times faster than lm-pub-quiz: {spread(faster)}", flush=True)


def child(side: str, name: str, metric: str) -> None:
    """Score one prompt, that with the most candidates; prints the memory before and the peak after, in MB."""
    model, tokenizer = CASES[name].make()
    prompts, candidates = max(jobs_of(CASES[name], tokenizer), key=lambda job: len(job.candidates.labels))
    give_back()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew, from what is held now
    before = held("VmHWM")
    SIDES[side](model, tokenizer, metric, [Job(prompts[:1], candidates)])
    print("\n", before, held("VmHWM"))


def held(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def memory(name: str, metric: str) -> None:
    for side in SIDES:
        command = [sys.executable, __file__, "--child", side, name, metric]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        before, peak = map(float, printed.split()[-2:])
        print(f"  peak memory of {side}: {peak - before:.0f} MB beyond the {before:.0f} MB before it", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--metric", choices=METRICS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, lm-pub-quiz in batches of {BATCH}")
    for name in [options.only] if options.only else CASES:
        for metric in [options.metric] if options.metric else METRICS:
            compare(name, metric, options.rounds)
            memory(name, metric)


if __name__ == "__main__":
    main()
