"""How fast the causal scorer is, as ratios taken in one run; `python tests/benchmarks/causal_speed.py --help`.

The same sentences of the atlas, English and Japanese:

1. against LM-PUB-QUIZ, which runs every candidate's whole sentence (batch size 32);
2. against the bare passes over the same tokens: body and vocabulary head, nothing read from the logits;
3. peak memory of either side in a process of its own, and of the model alone (English only).

Times are processor time, so that what else a machine does counts little: set OMP_NUM_THREADS=1 on a busy one.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from probe_speed import spread, xlmr_tokenizer
from torch.nn.functional import linear
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from data_builders.factset import FactSet
from fine_tuning.models import load_masked
from probe.prompts import relations
from probe.scoring.blocks import Blocks
from probe.scoring.causal import CausalScorer
from probe.scoring.scorer import Ask, Candidates, batches

#: Random models of usual shapes; the last is as Gemma 3 270M but for its number of layers.
SHAPES = {
    "llama": lambda: LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32_000, hidden_size=256, intermediate_size=688, num_hidden_layers=12, num_attention_heads=4
        )
    ),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=32_000, n_embd=256, n_layer=12, n_head=4)),
    "gemma": lambda: Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=262_144,
            hidden_size=640,
            intermediate_size=2048,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=256,
            sliding_window=512,
        )
    ),
}


def load(name: str):
    """A model and its tokenizer: from a folder, or random with the demo's tokenizer (or XLM-R's, where it fits)."""
    if name not in SHAPES:
        return AutoModelForCausalLM.from_pretrained(name).eval(), AutoTokenizer.from_pretrained(name)
    torch.manual_seed(0)
    model = SHAPES[name]().eval()
    demo = load_masked("demo").tokenizer
    tokenizer = xlmr_tokenizer(instead=demo) if model.config.vocab_size > 250_002 else demo
    begin, end = ("[CLS]", "[SEP]") if tokenizer is demo else ("<s>", "</s>")
    names = {"bos_token": begin, "eos_token": end, "pad_token": tokenizer.pad_token}
    bare = tokenizer.backend_tokenizer
    return model, PreTrainedTokenizerFast(tokenizer_object=bare, model_max_length=512, **names)


def jobs_of(tokenizer, lang: str, asks: int) -> list[tuple[list[Ask], Candidates]]:
    """The first template's sentences for some subjects of each relation, and all its candidates."""
    tokens = lambda labels: tokenizer(labels, add_special_tokens=False)["input_ids"]  # noqa: E731
    found = []
    for relation in relations(FactSet.parse("atlas").open([lang]), lang, tokens):
        own = [Ask(question.prompt) for question in relation.questions if question.template == 0]
        found.append((own[:: max(1, len(own) // asks)][:asks], Candidates(relation.labels, relation.tokens, lang)))
    return found


def ours(scorer: CausalScorer, jobs) -> list[np.ndarray]:
    """Sums through the prober, tokenising included."""
    found = []
    for asks, candidates in jobs:
        work, values = scorer.work(asks, candidates), np.empty((len(asks), len(candidates.labels)))
        for batch in batches(work):
            values[batch] = [answer.logprob for answer in work.score(batch)]
        found.append(values)
    return found


def theirs(model, tokenizer, jobs) -> list[np.ndarray]:
    """Sums through LM-PUB-QUIZ, told to leave the first letter of a sentence as it is."""
    from lm_pub_quiz import Evaluator

    logging.disable(logging.WARNING)
    evaluator = Evaluator.from_model(model, model_type="CLM", tokenizer=tokenizer, model_name="m", capitalize=False)
    return [
        np.array(
            [
                evaluator.evaluate_instance(
                    template=ask.prompt, answers=candidates.labels, reduction="sum", batch_size=32
                )
                for ask in asks
            ]
        )
        for asks, candidates in jobs
    ]


class Recorded:
    """What the scorer has its model do: the inputs of each pass, and how many of its places meet the vocabulary."""

    def __init__(self, scorer: CausalScorer, jobs):
        self.head, self.inputs, self.places = scorer.model.head, [], []
        states, logits = self.head.states, self.head.logits
        self.head.states = lambda **inputs: self.inputs.append(inputs) or states(**inputs)
        self.head.logits = self._counted(logits)
        ours(scorer, jobs)
        del self.head.states, self.head.logits

    def _counted(self, logits):
        def counted(states, start, end):
            if start == 0:
                self.places.append(len(states))
            return logits(states, start, end)

        return counted

    @property
    def tokens(self) -> int:
        return sum(inputs["input_ids"].numel() for inputs in self.inputs)

    @torch.inference_mode()
    def bare(self) -> None:
        weight, bias = self.head.block.whole
        for inputs, places in zip(self.inputs, self.places, strict=True):
            states = self.head.states(**inputs).flatten(0, 1)[:places]
            for rows in states.split(512):
                for start in range(0, len(weight), 8192):
                    end = start + 8192
                    linear(rows, weight[start:end], None if bias is None else bias[start:end])


def seconds(function, *arguments) -> float:
    """Processor time, of all threads."""
    began = time.process_time()
    function(*arguments)
    return time.process_time() - began


def ratios(model, tokenizer, lang: str, asks: int, rounds: int) -> None:
    """Print how many times faster than theirs, and how near the bare passes."""
    scorer, best, jobs = (
        CausalScorer(model, tokenizer),
        CausalScorer(model, tokenizer, 1),
        jobs_of(tokenizer, lang, asks),
    )
    assert isinstance(scorer.model.head, Blocks), "the model cannot be cut: there are no bare passes to compare with"
    recorded, values, expected = Recorded(scorer, jobs), [], []
    faster, nearer, limit, searched = [], [], [], []
    for _ in range(rounds):
        whole, least = seconds(lambda: values.append(ours(scorer, jobs))), seconds(recorded.bare)
        other = seconds(lambda: expected.append(theirs(model, tokenizer, jobs)))
        faster.append(other / whole)
        nearer.append(whole / least)
        limit.append(other / least)
        searched.append(whole / seconds(ours, best, jobs))
    worst = max(np.abs(a - b).max() for a, b in zip(values[0], expected[0], strict=True))
    sentences, prompts = sum(e.size for e in expected[0]), sum(len(e) for e in expected[0])
    print(f"{lang}: {prompts} prompts, {sentences:,} sentences; sums {worst:.1e} apart at most")
    print(
        f"  {recorded.tokens:,} tokens read, {sum(recorded.places):,} met the vocabulary; in trees: {scorer.model.tree}"
    )
    print(f"  times faster than LM-PUB-QUIZ: {spread(faster)}")
    print(f"  times the bare passes:         {spread(nearer)}")
    print(f"  the bare passes themselves are {spread(limit)} times faster than LM-PUB-QUIZ")
    print(f"  best=1 is {spread(searched)} times faster than all", flush=True)


def peak_memory(model: str, side: str, asks: int) -> float:
    """Peak MB of a process that loads the model and has one side score."""
    command = [sys.executable, __file__, "--model", model, "--asks", str(asks), "--child", side]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1])


def child(model: str, side: str, asks: int) -> None:
    """One side scores; prints its own peak memory."""
    model, tokenizer = load(model)
    jobs = jobs_of(tokenizer, "en", asks)
    if side == "ours":
        ours(CausalScorer(model, tokenizer), jobs)
    if side == "theirs":
        theirs(model, tokenizer, jobs)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="llama", help=f"a folder, or a random model: {', '.join(SHAPES)}")
    parser.add_argument("--langs", default="en,ja")
    parser.add_argument("--asks", type=int, default=2, help="prompts of each relation")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--child", choices=("ours", "theirs", "neither"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.model, options.child, options.asks)
        return
    print(
        f"{options.model}, torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}"
    )
    # first, since a process begins with the peak of the one that starts it
    peaks = {side: peak_memory(options.model, side, options.asks) for side in ("neither", "ours", "theirs")}
    print("peak MB:", ", ".join(f"{side} {peak:.0f}" for side, peak in peaks.items()), flush=True)
    model, tokenizer = load(options.model)
    for lang in options.langs.split(","):
        ratios(model, tokenizer, lang, options.asks, options.rounds)


if __name__ == "__main__":
    main()
