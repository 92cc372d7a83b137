"""Sequences in runs that the model reads at once: of about one length, and halved when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from data_builders.errors import FactrootsError

Item, Result = TypeVar("Item"), TypeVar("Result")

#: Sequences of one length run together, without padding; shorter runs are joined until they hold so many tokens.
RUN_TOKENS = 1024


def runs(lengths: Sequence[int], most: int, joined: int = RUN_TOKENS) -> Iterator[list[int]]:
    """Indices by length, in runs of one length (or of more while they hold < `joined` tokens) and <= `most` tokens.

    A run holds one sequence at least. The order depends on the lengths alone.
    """
    run: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        full = (len(run) + 1) * lengths[i] > most
        longer = run and lengths[i] != lengths[run[-1]] and len(run) * lengths[run[-1]] >= joined
        if run and (full or longer):
            yield run
            run = []
        run.append(i)
    if run:
        yield run


def padded(sequences: Sequence[Sequence[int]], pad: int, device) -> tuple[Tensor, Tensor | None]:
    """Token ids [n, longest], padded on the right, and the attention mask; None where nothing is padded."""
    longest = max(map(len, sequences))
    ids = torch.tensor([[*s, *[pad] * (longest - len(s))] for s in sequences], dtype=torch.long)
    if all(len(s) == longest for s in sequences):
        return ids.to(device), None
    lengths = torch.tensor([len(s) for s in sequences])
    return ids.to(device), (torch.arange(longest) < lengths[:, None]).long().to(device)


def halved(
    run: Callable[[Sequence[Item]], Result], items: Sequence[Item], smaller: Callable[[], None] = lambda: None
) -> list[Result]:
    """What `run` makes of all items at once, or of as many at a time as fit into memory, in their order.

    `smaller` is called whenever memory runs out, so that later runs may be cut smaller from the start. Raises
    FactrootsError when not even one item fits.
    """
    try:
        return [run(items)]
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "memory" not in str(error):
            raise
        if len(items) == 1:
            raise FactrootsError("out of memory on a single sequence; use a smaller model or dtype") from error
        smaller()
    middle = len(items) // 2
    return halved(run, items[:middle], smaller) + halved(run, items[middle:], smaller)
