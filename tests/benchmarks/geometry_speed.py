"""What a fit costs against the published script and scikit-learn, and what an intervention costs a model; `--help`.

Times are of the processor, on one thread. Each way of fitting runs in a process of its own, whose memory above what it
had before is said; making the vectors is not timed. A pass with an intervention is paired with a plain one, and the
median of their ratios is said.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from statistics import median
from types import SimpleNamespace

import numpy as np
import psutil
import torch

from probe.geometry.affine import AffineMap, intervening
from probe.geometry.layers import blocks
from probe.geometry.moments import Moments
from probe.geometry.spared import Spared
from probe.geometry.subspace import Subspace

#: Tokens that come from the model at a time: 8 sequences of 512.
BATCH = 4096


class Clock:
    """Processor time of what runs within it, added up."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self.began = time.process_time()

    def __exit__(self, *_):
        self.seconds += time.process_time() - self.began


def batches(tokens: int, width: int) -> Iterator[np.ndarray]:
    """States as a model's: float32, variances of a power law, a dimension far out."""
    draw, scale = np.random.default_rng(0), (np.arange(1, width + 1) ** -0.525).astype(np.float32)
    for start in range(0, tokens, BATCH):
        own = draw.standard_normal((min(BATCH, tokens - start), width), np.float32)
        own *= scale
        own[:, width // 2] += 12
        yield own


def streaming(tokens: int, width: int, clock: Clock) -> int:
    held = Moments.zero(width)
    for own in batches(tokens, width):
        with clock:
            held = held.plus(own)
    with clock:
        return Subspace.of(held).k()


def published(tokens: int, width: int, clock: Clock) -> int:
    """``src/utils.py`` of Chang, Tu & Bergen (2022): vectors are appended batch by batch, and all have one SVD."""
    held = np.zeros((0, width))
    for own in batches(tokens, width):
        with clock:
            held = np.concatenate((held, own), axis=0)
    with clock:
        _, s, _ = np.linalg.svd(held - held.mean(axis=0), full_matrices=False)
        return int(np.argmax(np.cumsum(s**2) >= 0.9 * np.sum(s**2))) + 1


def svd(tokens: int, width: int, clock: Clock) -> int:
    """The same with the vectors put where they belong at once, and centred in place."""
    held = np.empty((tokens, width))
    for number, own in enumerate(batches(tokens, width)):
        held[number * BATCH : number * BATCH + len(own)] = own
    with clock:
        held -= held.mean(axis=0)
        _, s, _ = np.linalg.svd(held, full_matrices=False)
        return int(np.argmax(np.cumsum(s**2) >= 0.9 * np.sum(s**2))) + 1


def incremental(tokens: int, width: int, clock: Clock) -> int:
    from sklearn.decomposition import IncrementalPCA

    held = IncrementalPCA()
    for own in batches(tokens, width):
        with clock:
            held.partial_fit(own)
    return int(np.argmax(np.cumsum(held.explained_variance_ratio_) >= 0.9)) + 1


WAYS: dict[str, Callable[[int, int, Clock], int]] = {
    "streaming moments": streaming,
    "published script": published,
    "its SVD alone": svd,
    "IncrementalPCA": incremental,
}


def measured(name: str, tokens: int, width: int, out) -> None:
    """In a process of its own: seconds, MB above what was there before, and k."""
    run, clock = WAYS[name], Clock()
    run(BATCH, width, Clock())  # libraries make their buffers once
    before = psutil.Process().memory_info().rss
    k = run(tokens, width, clock)
    out.send((clock.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 - before / 2**20, k))


def fits(options) -> None:
    context, found = multiprocessing.get_context("spawn"), {}
    for name in options.ways:
        here, there = context.Pipe()
        child = context.Process(target=measured, args=(name, options.tokens, options.width, there))
        child.start()
        there.close()
        found[name] = here.recv()
        child.join()
        seconds, megabytes, k = found[name]
        ours = found[options.ways[0]]
        print(
            f"{name}: {seconds:.1f} s, {megabytes:,.0f} MB, k {k}; {seconds / ours[0]:.1f} times the time and "
            f"{megabytes / ours[1]:.0f} times the memory of {options.ways[0]}",
            flush=True,
        )


def overhead(options) -> None:
    from transformers import AutoConfig, AutoModelForMaskedLM

    d = options.width
    sizes = {"hidden_size": d, "num_hidden_layers": options.layers, "num_attention_heads": d // 64}
    more = {"intermediate_size": 4 * d, "vocab_size": 1000, "max_position_embeddings": 514}
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model("xlm-roberta", **sizes, **more)).eval()
    found, ids = blocks(model), torch.randint(5, 1000, (options.rows, options.length))
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0]
    mean = np.random.default_rng(1).normal(size=d)
    maps = {
        "shift": AffineMap(None, mean, 2 * mean),
        f"projection on {d // 8} axes": AffineMap(basis[:, : d // 8], mean, mean),
        f"projection on {d * 335 // 768} axes": AffineMap(basis[:, : d * 335 // 768], mean, mean),
        f"projection on {d * 3 // 4} axes": AffineMap(basis[:, : d * 3 // 4], mean, mean),
    }

    @torch.inference_mode()
    def spent() -> float:
        with (clock := Clock()):
            model.base_model(input_ids=ids)
        return clock.seconds

    spent()
    tokenizer = SimpleNamespace(all_special_ids=[0, 1, 2], unk_token_id=3, mask_token_id=None)
    spared, middle = Spared(SimpleNamespace(model=model, tokenizer=tokenizer)), f"projection on {d * 335 // 768} axes"
    kinds = [
        *((name, map, None) for name, map in maps.items()),
        (f"{middle}, special tokens kept", maps[middle], spared),
    ]
    for name, map, kept in kinds:
        ratios = []
        for _ in range(options.rounds):
            plain = spent()
            with intervening(found, options.layers // 2, map, kept):
                ratios.append(spent() / plain)
        ends = f"{min(ratios):.3f}–{max(ratios):.3f}"
        print(f"{name} at a layer of {options.layers}: {median(ratios):.3f} times a plain pass ({ends})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=262_144, help="vectors that are fitted; 16384 for a quick run")
    parser.add_argument("--width", type=int, default=768, help="dimensions")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="the first is compared with")
    parser.add_argument("--layers", type=int, default=12, help="of the model that is intervened in")
    parser.add_argument("--rows", type=int, default=2, help="sequences of a pass")
    parser.add_argument("--length", type=int, default=512, help="tokens of each")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of passes for each intervention")
    parser.add_argument("--parts", nargs="+", choices=("fits", "overhead"), default=["fits", "overhead"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    for part in options.parts:
        {"fits": fits, "overhead": overhead}[part](options)


if __name__ == "__main__":
    main()
