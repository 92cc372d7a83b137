"""A model that goes on from states it has had before: what comes up to a layer is not run again for each condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from probe.geometry.affine import AffineMap, intervening
from probe.geometry.layers import watching


class Resuming:
    """A model's blocks, of which :meth:`at` leaves out those whose outcome is known.

    ``possible`` says whether this gives bit for bit what `run(ids)` gives, which is tried at each layer, its states
    being moved. It does not where something beside the states is handed from block to block, or where a model looks at
    them in between; then nothing is left out.
    """

    def __init__(self, blocks: Sequence[nn.Module], run: Callable[[Tensor], Tensor], ids: Tensor):
        self.blocks, self.beside = blocks, _beside(blocks, run, ids)
        self.possible = self._try(run, ids)

    @contextmanager
    def at(self, layer: int, states: Tensor) -> Iterator[None]:
        """Run the model without its blocks up to `layer`, whose states are these, [rows, length, d].

        Hooks on the blocks do their work as ever, so that what is done to layer `layer` is done to `states`. Whatever
        happens inside, the blocks are as they were afterwards.
        """
        skipped = self.blocks[:layer] if self.possible else []
        held = [block.__dict__.get("forward") for block in skipped]
        try:
            for block, beside in zip(skipped, self.beside, strict=False):
                given = states if beside is None else (states, *beside)
                block.forward = lambda *_, given=given, **__: given
            yield
        finally:
            for block, forward in zip(skipped, held, strict=True):
                block.__dict__.pop("forward", None)
                if forward is not None:
                    block.forward = forward

    @torch.inference_mode()
    def _try(self, run: Callable[[Tensor], Tensor], ids: Tensor) -> bool:
        kept: dict[int, Tensor] = {}
        with watching(self.blocks, kept.__setitem__):
            run(ids)
        d = kept[0].shape[-1]
        moved, self.possible = AffineMap(None, np.zeros(d), np.linspace(-1, 1, d)), True
        for layer in range(1, len(self.blocks) + 1):
            with intervening(self.blocks, layer, moved):
                whole = run(ids)
                try:
                    with self.at(layer, kept[layer]):
                        if not torch.equal(run(ids), whole):
                            return False
                except (AttributeError, IndexError, TypeError, ValueError, RuntimeError):
                    return False  # an architecture that cannot go without a block fails in its own way
        return True


def _beside(blocks: Sequence[nn.Module], run: Callable[[Tensor], Tensor], ids: Tensor) -> list[tuple[None, ...] | None]:
    """What each block gives beside its states: a None for every value, or None where it gives these alone.

    Attention weights are mostly not asked for, or not looked at; a model that does look at something does not resume.
    """
    found = []

    def look(_, __, output) -> None:
        found.append(None if isinstance(output, Tensor) else (None,) * (len(output) - 1))

    handles = [block.register_forward_hook(look) for block in blocks]
    try:
        with torch.inference_mode():
            run(ids)
    finally:
        for handle in handles:
            handle.remove()
    return found
