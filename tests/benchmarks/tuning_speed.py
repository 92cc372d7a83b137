"""How fast a training step is, and what it takes of memory, against transformers' Trainer as it comes; `--help`.

Full fine-tuning of a masked LM by its own text, in steps a second of processor time: the same Trainer with the same
batches, once with the model's own loss over all places, once with ours over the asked ones. Each in a process of its
own, so that peak memory is its own too. No checkpoints are written.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch


def model_of(vocabulary: int, layers: int):
    """A BERT of base size with so many words and layers, drawn from a seed."""
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(vocab_size=vocabulary, num_hidden_layers=layers))


class Tokens:
    """The least of a tokenizer that a collator of masks asks for."""

    all_special_ids, pad_token_id, mask_token_id = (0, 1, 2, 3, 4), 0, 4

    def __init__(self, size: int):
        self.size = size

    def __len__(self) -> int:
        return self.size


def measure(way: str, args) -> dict[str, float]:
    """Steps a second by processor time, and peak memory in MB."""
    from fine_tuning.model_spec import ModelSpec
    from fine_tuning.models import Loaded
    from fine_tuning.training.collating import Masked
    from fine_tuning.training.drawing import Drawn
    from fine_tuning.training.fitter import Fitter
    from fine_tuning.training.job import Examples, Job
    from fine_tuning.training.schedule import Schedule

    model = model_of(args.vocabulary, args.layers)
    ids = np.random.default_rng(0).integers(5, args.vocabulary, (64, args.length))
    rows = [{"ids": row.tolist(), "number": i} for i, row in enumerate(ids)]
    collate = Masked(Tokens(args.vocabulary), 0)
    with tempfile.TemporaryDirectory() as folder:
        loaded = Loaded(ModelSpec("x/y"), model, None, "x/y", None, "0" * 64, "float32", "masked")
        schedule = Schedule(steps=args.steps, batch=args.batch)
        job = Job(loaded, Examples(rows, None, collate, {}), schedule, Path(folder), quiet=True)
        if way == "ours":
            Fitter._save_checkpoint = lambda *_: None
            began = time.process_time()
            job.fit("train")
        else:
            from transformers import Trainer

            from fine_tuning.training.arguments import arguments

            told = arguments(job, Path(folder), schedule)
            told.max_grad_norm, told.save_strategy = 1.0, "no"
            plain = Trainer(model, told, collate, Drawn(rows, args.steps * args.batch, 0))
            began = time.process_time()
            plain.train()
        spent = time.process_time() - began
    return {"rate": args.steps / spent, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


def apart(way: str, args) -> dict[str, float]:
    """:func:`measure` in a process of its own."""
    read, write = os.pipe()
    if not (child := os.fork()):
        try:
            os.write(write, json.dumps(measure(way, args)).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    return json.loads(os.read(read, 1000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("vocabulary", 8000), ("layers", 2), ("length", 128), ("batch", 8), ("steps", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    torch.set_num_threads(1)
    found = {way: apart(way, args) for way in ("plain", "ours")}
    for way, one in found.items():
        print(f"{way:6} {one['rate']:.3f} steps/s  {one['mb']:,.0f} MB")
    ratio = found["ours"]["rate"] / found["plain"]["rate"]
    print(f"{ratio:.2f} times as fast, {found['ours']['mb'] / found['plain']['mb']:.2f} times the memory")
    sys.exit(ratio < 1)


if __name__ == "__main__":
    main()
