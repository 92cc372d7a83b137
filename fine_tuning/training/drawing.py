"""In which order examples are trained on: one list of draws for the whole of a phase, which a seed decides."""

from __future__ import annotations

import numpy as np
from torch.utils.data import Dataset


class Drawn(Dataset):
    """`number` draws of the rows of `data`, which has them all once an epoch in an order of its own.

    A row that is a dict gets its draw's number as ``draw``, from which a collator can seed what it does to the row:
    the same however the draws are cut into batches, and after an interruption.
    """

    def __init__(self, data, number: int, seed: int):
        self.data, self.number, self.seed = data, number, seed
        self._epoch, self._order = -1, np.array([], int)

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, draw: int):
        epoch, place = divmod(draw, len(self.data))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.data))
        row = self.data[int(self._order[place])]
        return {**row, "draw": draw} if isinstance(row, dict) else row
