"""Training with a Pfeiffer adapter: steps per second against the package `adapters`, memory against full fine-tuning.

    python tests/benchmarks/adapters_speed.py --adapters-python ENV/bin/python

ENV is an environment with adapters==1.3.0 (see tests/golden/make_adapters.py). Both run forward, backward and AdamW on
the same random BERT, in turns in one run, and the ratio is of processor times, of which each round gives one.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZES = {
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "vocab_size": 8000,
}
BATCH, LENGTH = 8, 64


def bert():
    import torch
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    torch.set_num_threads(1)
    return BertForMaskedLM(BertConfig(**SIZES)).train()


def ours():
    import torch

    sys.path.insert(0, str(Path(__file__).parents[2]))
    from fine_tuning.bottleneck.config import Config
    from fine_tuning.bottleneck.modules import start
    from fine_tuning.bottleneck.placement import blank, install

    model = bert().requires_grad_(False)
    install(model, start(blank(model, Config()), torch.Generator().manual_seed(0)))
    return model


def theirs():
    import adapters

    model = bert()
    adapters.init(model)
    model.add_adapter("it", config="seq_bn")
    model.train_adapter("it")
    model.cls.requires_grad_(False)  # which it leaves to be trained, and ours freezes
    return model


MAKERS = {"ours": ours, "theirs": theirs, "full": bert}


def measure(name: str, steps: int) -> dict:
    """Seconds of processor time a step, trained parameters, and MB above the model just made at the peak."""
    import torch

    model = MAKERS[name]()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    ids = torch.randint(5, SIZES["vocab_size"], (BATCH, LENGTH), generator=torch.Generator().manual_seed(0))
    labels = torch.where(torch.arange(LENGTH) % 7 == 0, ids, -100)

    def step() -> None:
        model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    step()
    began = time.process_time()
    for _ in range(steps):
        step()
    seconds = (time.process_time() - began) / steps
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {"seconds": seconds, "trained": trained, "peak_mb": peak / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--adapters-python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--only", choices=MAKERS, help="what one process measures")
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given.only, given.steps)))
        return
    pythons = {"ours": sys.executable, "theirs": given.adapters_python, "full": sys.executable}
    found: dict[str, list[dict]] = {name: [] for name, python in pythons.items() if python}
    for _ in range(given.rounds):
        for name, rows in found.items():
            command = [pythons[name], __file__, "--only", name, "--steps", str(given.steps)]
            made = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(json.loads(made.stdout.splitlines()[-1]))
    for name, rows in found.items():
        rate, peak = (statistics.median(row[key] for row in rows) for key in ("seconds", "peak_mb"))
        print(f"{name:7} {1 / rate:6.1f} steps/s   {peak:6.0f} MB above the model   {rows[0]['trained']:,} trained")
    for name in found.keys() - {"ours"}:
        ratios = [there["seconds"] / here["seconds"] for here, there in zip(found["ours"], found[name], strict=True)]
        print(
            f"ours is {statistics.median(ratios):.2f} times as fast as {name} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
