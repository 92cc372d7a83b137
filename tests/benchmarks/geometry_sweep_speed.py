"""A sweep of interventions against whole passes with all logits, as the published script makes them; `--help`.

Processor time of one thread, both ways in turn in one run over the same sequences, masks, maps and layers of a random
BERT. In between: whole passes of which only the masked places meet the vocabulary, so that it is seen what comes from
where. The published script projects with a dense matrix, as is done here in all three.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForMaskedLM

from fine_tuning.models import load_masked, quiet_libraries
from probe.geometry.affine import AffineMap, intervening
from probe.geometry.body import Body
from probe.geometry.masks import Asking, Words, askings, batches, joined
from probe.geometry.measures import Measure
from probe.geometry.perplexity import Meter
from probe.scoring.scorer import BATCH_TOKENS


def published(meter: Meter, asking: Asking, maps: dict[int, list[AffineMap]]) -> list[float]:
    """Every condition is a pass of the whole model; loss and predictions are read off the logits of all places."""
    model, found = meter.body.loaded.model, []
    ids, labels = torch.from_numpy(asking.ids), torch.full(asking.ids.shape, -100)
    labels[asking.row, asking.column] = torch.from_numpy(asking.targets)

    def run() -> float:
        logits = model(input_ids=ids).logits
        loss = cross_entropy(logits.flatten(0, 1), labels.flatten())
        masked = labels >= 0
        (logits[masked, :].argmax(dim=-1) == labels[masked]).sum()
        return float(loss)

    with torch.no_grad():
        found.append(run())
        for layer, own in maps.items():
            for map in own:
                with intervening(meter.body.blocks, layer, map):
                    found.append(run())
    return found


def whole(meter: Meter, asking: Asking, maps: dict[int, list[AffineMap]]) -> list[float]:
    """Whole passes, of which the masked places alone meet the vocabulary."""
    found = [meter.plain(asking, [])[0].nll.mean()]
    for layer, own in maps.items():
        for map in own:
            with intervening(meter.body.blocks, layer, map):
                found.append(meter.plain(asking, [])[0].nll.mean())
    return found


def ours(meter: Meter, asking: Asking, maps: dict[int, list[AffineMap]]) -> list[float]:
    """As the sweep has it: a plain pass, and every condition gone on with from its layer."""
    said, states = meter.plain(asking, maps)
    return [
        said.nll.mean(),
        *(meter.under(asking, layer, map, states).nll.mean() for layer, own in maps.items() for map in own),
    ]


def seconds(way: Callable, *arguments) -> tuple[float, list[float]]:
    began = time.process_time()
    found = way(*arguments)
    return time.process_time() - began, found


def made(options: argparse.Namespace) -> Meter:
    """A random BERT that has the demo's special tokens."""
    demo = load_masked("demo")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=options.vocabulary,
        hidden_size=options.width,
        intermediate_size=4 * options.width,
        num_attention_heads=options.width // 64,
        num_hidden_layers=options.layers,
    )
    loaded = demo._replace(model=BertForMaskedLM(config).eval())
    return Meter(Body.of(loaded), np.arange(10, 10 + options.length, dtype=np.int32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--vocabulary", type=int, default=120_000)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--sequences", type=int, default=8)
    parser.add_argument("--conditions", type=int, default=2, help="maps a layer")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    meter = made(options)
    draw = np.random.default_rng(0)
    ids = draw.integers(10, options.vocabulary, (options.sequences, options.length)).astype(np.int32)
    asked = askings(Measure.parse("mlm"), ids, "xx", Words.of(meter.body.loaded.tokenizer), 0)
    asking = joined([asked[i] for which in batches(asked, BATCH_TOKENS) for i in which])
    k, mean = int(0.44 * options.width), draw.normal(size=options.width)  # 335 of 768
    maps = {
        layer: [
            AffineMap(np.linalg.qr(draw.normal(size=(options.width, k)))[0], mean, mean)
            for _ in range(options.conditions)
        ]
        for layer in range(options.layers + 1)
    }
    passes = 1 + options.conditions * len(maps)
    print(f"{passes} passes of {asking.ids.size:,} tokens, resuming: {meter.resuming.possible}", flush=True)
    times: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for way in (ours, whole, published):
            spent, found = seconds(way, meter, asking, maps)
            times.setdefault(way.__name__, []).append(spent)
            if way is ours:
                first = found
            print(
                f"{way.__name__}: {spent:.1f} s, at most {np.abs(np.subtract(found, first)).max():.1e} apart",
                flush=True,
            )
    base = median(times["ours"])
    for name in ("whole", "published"):
        print(f"{median(times[name]) / base:.2f} times faster than {name} passes")


if __name__ == "__main__":
    main()
