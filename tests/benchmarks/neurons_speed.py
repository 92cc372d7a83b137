"""How fast neurons are found and silenced, against the same one fact at a time; `--help`.

Each method over the same facts of the atlas with the `demo` model, in facts a second, by processor time: what a plain
loop does is one fact, the whole model, no padding. PROBELESS's contrast is timed on its own, against the double loop.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from itertools import product

import numpy as np
import torch

from data_builders.factset import FactSet
from fine_tuning.models import load_masked, quiet_libraries
from probe.tracing.neurons.asked import Asked, questions
from probe.tracing.neurons.effects import effects
from probe.tracing.neurons.find import NEURONS, find
from probe.tracing.neurons.hooks import feed_forward, watching
from probe.tracing.neurons.importance import METHODS, distances
from probe.tracing.neurons.overlap import overlaps
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.seeking import Seeking
from probe.tracing.neurons.silencing import Silencing

STEPS = 20


def seconds(function, *arguments) -> float:
    began = time.process_time()
    function(*arguments)
    return time.process_time() - began


def f(model, one: Asked) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([one.ids])).logits[0]
    return torch.log_softmax(logits, -1)[list(one.places), list(one.targets)].sum()


def plain(model, facts: list[Asked], method: str) -> None:
    """One fact at a time, and for integrated gradients one layer and one step at a time."""
    found = feed_forward(model)
    for one in facts:
        held = {}
        if method == "probeless":
            with torch.no_grad(), watching(found, held.__setitem__):
                f(model, one)
        elif method == "activation_x_gradient":
            with watching(found, held.__setitem__):
                value = f(model, one)
            torch.autograd.grad(value, [*held.values()])
        else:
            for layer, step in product(range(len(found.layers)), range(STEPS)):
                leaf = []
                with watching(found, partial(scaled, layer, (step + 0.5) / STEPS, one, leaf)):
                    value = f(model, one)
                torch.autograd.grad(value, leaf)


def scaled(wanted: int, share: float, one: Asked, held: list, layer: int, values: torch.Tensor):
    if layer != wanted:
        return None
    values = values.detach().clone()
    held.append((values[0, list(one.places)] * share).requires_grad_())
    values[0, list(one.places)] = held[0]
    return values


def double_loop(values: np.ndarray) -> None:
    for q in range(len(values)):
        np.abs(values[q] - values).sum(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, default=60, help="facts of each relation")
    parser.add_argument("--loop", type=int, default=20, help="facts that the plain loop is timed on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    loaded = load_masked("demo")
    data = FactSet.parse(f"atlas(langs=en;it,parallel,sample={options.facts})").open()
    asked = {lang: list(questions(data, loaded, lang)) for lang in data.langs}
    facts = [one for _, group in asked["en"] for one in group]
    reader = Reader(loaded)
    tops = {}
    for method in METHODS:
        few = facts[:: max(1, len(facts) // options.loop)][: options.loop]
        slow = len(few) / seconds(plain, loaded.model, few, method)

        def run(method=method) -> None:
            tops[method] = list(find(iter(asked["en"]), reader, "en", Seeking(method, steps=STEPS)))

        fast = len(facts) / seconds(run)
        print(f"{method}: {fast:,.0f} facts/s; one at a time {slow:,.1f}: {fast / slow:.1f} times faster", flush=True)
    values = np.random.default_rng(0).normal(size=(1000, 1024)).astype(np.float32)
    once, loops = seconds(distances, values), seconds(double_loop, values)
    print(f"contrast of 1,000 facts, 1,024 neurons: {once:.2f} s; double loop {loops:.2f} s: {loops / once:.0f} times")
    other = list(find(iter(asked["it"]), reader, "it", Seeking("activation_x_gradient")))
    table = NEURONS.empty_table().from_batches([*tops["activation_x_gradient"], *other], NEURONS)
    whole = seconds(overlaps, table)
    print(f"overlaps with their null: {len(facts) / whole:,.0f} facts/s a pair of languages")
    few = {lang: iter([(name, group[:10]) for name, group in own]) for lang, own in asked.items()}
    silencing = Silencing(controls=9)
    held = []
    spent = seconds(lambda: held.append(effects(table, few, reader, silencing)))
    rows = len(held[0]) * (2 * silencing.controls + 1)
    trials = rows / spent
    one = seconds(lambda: [f(loaded.model, fact) for fact in facts[:50]]) / 50
    print(f"silencing: {trials:,.0f} trials/s; one at a time {1 / one:,.0f}: {trials * one:.1f} times faster")


if __name__ == "__main__":
    main()
