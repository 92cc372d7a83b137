"""What sparse fine-tuning costs: choosing K entries, a sparse step, applying a variant, memory; `--help`.

Times are of the processor, on one thread. `step` pairs dense and sparse steps of one model and says the median of their
ratios; `memory` trains each method for two steps in a process of its own, from which what loading takes is taken off.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import psutil
import torch

METHODS = ("full", "lt-sft", "lt-sft-task", "childtuning-f", "childtuning-d", "diffpruning")


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident() -> float:
    """The memory that this process has now, in MB."""
    return psutil.Process().memory_info().rss / 2**20


def masked_lm(vocabulary: int, width: int, layers: int):
    from transformers import AutoConfig, AutoModelForMaskedLM

    sizes = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": width // 64}
    more = {"intermediate_size": 4 * width, "vocab_size": vocabulary, "max_position_embeddings": 514}
    torch.manual_seed(0)
    return AutoModelForMaskedLM.from_config(AutoConfig.for_model("xlm-roberta", **sizes, **more))


def tensors(millions: int) -> dict[str, torch.Tensor]:
    """Parameters like those of a multilingual model, most of them embeddings."""
    rows = int(millions * 1e6 * 0.6) // 640
    layers = int(millions * 1e6 * 0.4) // (640 * 2048)
    torch.manual_seed(0)
    shapes = {"embeddings": (rows, 640), **{f"layer.{i}": (640, 2048) for i in range(layers)}}
    return {name: torch.randn(shape).mul_(0.02) for name, shape in shapes.items()}


def top(options) -> None:
    from fine_tuning.sparse.topk import top as choose

    start = tensors(options.millions)
    now = {name: tensor.clone() for name, tensor in start.items()}
    for tensor in now.values():
        for part in tensor.view(-1).split(2**20):  # nothing that would hide what choosing takes
            part.add_(torch.randn(len(part)), alpha=1e-4)
    shapes, size = {n: tuple(t.shape) for n, t in start.items()}, sum(t.numel() for t in start.values())
    before, began = resident(), time.process_time()
    masks = choose(shapes, lambda n, at: now[n].view(-1)[at] - start[n].view(-1)[at], int(size * 0.0276))
    spent = time.process_time() - began
    found = sum(int(mask.count_nonzero()) for mask in masks.values())
    print(f"top: {found:,} of {size:,} entries in {spent:.1f} s, {peak() - before:,.0f} MB above the two models")


def apply(options) -> None:
    from torch import nn

    from fine_tuning.variants.delta import Sparse, add_to
    from fine_tuning.variants.delta_file import read_delta, write_delta

    model = {name: nn.Parameter(tensor, requires_grad=False) for name, tensor in tensors(options.millions).items()}
    size = sum(tensor.numel() for tensor in model.values())
    for density in (0.01, 0.02):
        delta = {}
        for name, tensor in model.items():
            at = (torch.rand(tensor.numel()) < density).nonzero()[:, 0]
            delta[name] = Sparse(at, torch.randn(len(at)) * 1e-3, tuple(tensor.shape))
        with TemporaryDirectory() as folder:
            write_delta(Path(folder), delta)
            disk = sum(path.stat().st_size for path in Path(folder).iterdir())
            began = time.process_time()
            undo = add_to(model, read_delta(Path(folder)))
        spent = time.process_time() - began
        began = time.process_time()
        undo()
        back = time.process_time() - began
        print(
            f"apply: {density:.0%} of {size:,} parameters read and put on in {spent:.2f} s, off in {back:.2f} s, "
            f"{disk / 1e6:.1f} MB on disk ({disk / (4 * size):.2%} of the model's)"
        )


def step(options) -> None:
    from fine_tuning.sparse.callbacks import TowardStart
    from fine_tuning.sparse.entries import Entries
    from fine_tuning.training.loss import summed_loss
    from fine_tuning.variants.names import parameters, untie

    model = masked_lm(options.vocabulary, options.width, options.layers)
    untie(model)
    model.get_output_embeddings().weight.requires_grad_(False)
    named = {name: p for name, p in parameters(model).items() if p.requires_grad}
    size = sum(p.numel() for p in named.values())
    ids = torch.randint(5, options.vocabulary, (8, options.length))
    batch = {"input_ids": ids, "labels": torch.where(torch.rand(ids.shape) < 0.15, ids, -100)}
    masks = {name: torch.rand(p.shape) < 0.0276 for name, p in named.items()}
    start = {name: p.detach().clone() for name, p in named.items()}
    entries = Entries(named, masks)
    alone = {"chosen": entries.values}

    def adamw(learning: dict):
        return torch.optim.AdamW(learning.values(), lr=1e-5, weight_decay=0.0, fused=True)

    def seconds(learning: dict, optimizer, *callbacks) -> float:
        began = time.process_time()
        (summed_loss(model, batch, False)[0] / 40).backward()
        for one in callbacks:
            one.on_pre_optimizer_step(None, SimpleNamespace(global_step=0), None)
        torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
        optimizer.step()
        for one in callbacks:
            one.on_optimizer_step(None, SimpleNamespace(global_step=0), None)
        optimizer.zero_grad()
        return time.process_time() - began

    dense, sparse = (named, adamw(named)), (alone, adamw(alone), entries)
    far, near = TowardStart(named, start, 0.1, size), TowardStart(alone, {"chosen": entries.of(start)}, 0.1, size)
    kinds = (dense, sparse, (*dense, far), (*sparse, near))
    for kind in kinds:
        seconds(*kind)
    rounds = [[seconds(*kind) for kind in kinds] for _ in range(options.rounds)]
    for what, a, b in (
        ("sparse / dense", 1, 0),
        ("sparse / dense, both with the penalty", 3, 2),
        ("penalty / none", 2, 0),
    ):
        ratios = sorted(one[a] / one[b] for one in rounds)
        print(f"step: {what} {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}) of {size:,} parameters")
    print(f"step: a dense one {median(one[0] for one in rounds):.2f} s, 8 texts of {options.length} tokens")


def memory(options) -> None:
    from transformers import Trainer  # noqa: F401 - so that no method's process has to load it

    fork, full = multiprocessing.get_context("fork"), None
    for name in METHODS:
        ours, theirs = fork.Pipe()
        process = fork.Process(target=one, args=(options, name, theirs))
        process.start()
        taken, planned = ours.recv()
        process.join()
        full = full or taken
        print(f"memory: {name} {taken:,.0f} MB above the model ({planned:,.0f} planned), {taken / full:.2f} × full")


def one(options, name: str, said) -> None:
    """Train a method for two steps, and say by how much the peak lies above the loaded model, and what was planned."""
    from fine_tuning.methods.table import parse_method
    from fine_tuning.training.job import Examples, Job

    method = parse_method("childtuning-d(batches=2)" if name == "childtuning-d" else name)
    model = masked_lm(options.vocabulary, options.width, options.layers)
    rows = [{"ids": row} for row in torch.randint(5, options.vocabulary, (16, options.length))]

    def collate(some):
        stacked = torch.stack([row["ids"] for row in some])
        return {"input_ids": stacked, "labels": torch.where(torch.arange(options.length) % 7 == 0, stacked, -100)}

    spec = type("Spec", (), {"variants": (), "__str__": lambda _: "made up"})()
    loaded = SimpleNamespace(model=model, family="masked", spec=spec, sha256="0" * 64)
    schedule = replace(method.schedule, steps=2, batch=8)
    planned = method.plan(model, schedule).held * 4 / 2**20
    with TemporaryDirectory() as folder:
        job = Job(loaded, Examples(rows, None, collate, {}), schedule, Path(folder), quiet=True)
        before = resident()
        method.train(job).write(Path(folder))
    said.send((peak() - before, planned))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"top": top, "apply": apply, "step": step, "memory": memory}
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--millions", type=int, default=270, help="parameters of `top` and `apply`")
    parser.add_argument("--vocabulary", type=int, default=120_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--length", type=int, default=128, help="tokens of a text, of `step` and `memory`")
    parser.add_argument("--rounds", type=int, default=9, help="of `step`")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for part in options.parts:
        parts[part](options)


if __name__ == "__main__":
    main()
