"""What answers are worth that were not chosen among candidates: tokens at masks, and texts filled in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from probe.pool import Pool


def vocabulary(pool: Pool, items: list[dict]) -> dict[str, np.ndarray]:
    """P@1 of items by the tokens chosen at the masks, for any number of masks (Zhao et al. 2024)."""
    full = pool.protocol.combine == "full"
    right = _full if full else _partial
    hits = [right(list(_predictions(pool, item)), [pool.bare[g] for g in item["own"]]) for item in items]
    nothing = np.full(len(items), np.nan)
    chance = np.array([float(pool.vocabulary_size) ** -item["pieces"] for item in items]) if full else nothing
    return {"p1": np.array(hits, dtype=float), "p5": nothing, "p10": nothing, "rr": nothing, "chance": chance}


def _predictions(pool: Pool, item: dict) -> Iterator[list[int]]:
    argmax, start, masks = item["row"]["argmax"], 0, 1
    while start < len(argmax):
        yield [i for i in argmax[start : start + masks].tolist() if i != pool.space]
        start, masks = start + masks, masks + 1


def _full(predictions: list[list[int]], golds: list[list[int]]) -> bool:
    return any(predicted in golds for predicted in predictions)


def _partial(predictions: list[list[int]], golds: list[list[int]]) -> bool:
    return any(set(gold) <= set(predicted) for predicted in predictions for gold in golds)


def decoded(pool: Pool, items: list[dict]) -> dict[str, np.ndarray]:
    """P@1 of items by the text of the number of masks that the protocol chooses (Jiang et al. 2020)."""
    from probe import matching

    protocol = pool.protocol
    if protocol.length == "gold":
        chosen = [len(pool.tokens[item["own"][0]]) - 1 for item in items]
    else:
        chosen = matching.choose(np.stack([item["row"]["confidence"] for item in items]), protocol.length)
    hits = [
        matching.matches(item["row"]["texts"][k], [name for g in item["own"] for name in pool.names[g]], protocol.match)
        for item, k in zip(items, chosen, strict=True)
    ]
    nothing = np.full(len(items), np.nan)
    return {"p1": np.array(hits, dtype=float), "p5": nothing, "p10": nothing, "rr": nothing, "chance": nothing}
