"""In which order examples are trained on: one list of draws for the whole of a phase, which a seed decides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

import numpy as np
from torch.utils.data import Dataset

from data_builders.errors import FactrootsError


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


class InTurn(Dataset):
    """`number` draws of the rows of `data`, `size` after each other of one language, which is a row's ``lang``.

    A round has each language as often as its rows fill such batches, in an order of its own, as composable-sft's policy
    ``random``; each language is drawn from as :class:`Drawn` does.
    """

    def __init__(self, data, number: int, size: int, seed: int):
        rows = defaultdict(list)
        for row in data:
            rows[row["lang"]].append(row)
        self.number, self.size, self.seed = number, size, seed
        # Each in an order of its own, else facts that are there in two languages would come at the same time.
        self.drawn = {lang: Drawn(rows[lang], number, len(rows) * seed + i) for i, lang in enumerate(sorted(rows))}
        #: A round's batches, each by its language and its place among the language's own.
        self.turns = [(lang, i) for lang in self.drawn for i in range(-(-len(rows[lang]) // size))]
        self.counts = {lang: -(-len(some) // size) for lang, some in rows.items()}

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, draw: int) -> dict:
        batch, place = divmod(draw, self.size)
        whole, turn = divmod(batch, len(self.turns))
        order = np.random.default_rng([self.seed, whole]).permutation(len(self.turns))
        lang, own = self.turns[order[turn]]
        return {**self.drawn[lang][(whole * self.counts[lang] + own) * self.size + place], "draw": draw}


def check_enough(data, batch: int, langs: Collection[str] = ()) -> None:
    """Raises FactrootsError where a batch would be filled with one row twice, and, where each is to be of one of
    `langs`, where there are rows of others, or none of one."""
    counts = Counter(row["lang"] for row in data) if langs else {"": len(data)}
    if langs and (odd := sorted(counts.keys() ^ set(langs))):
        what = "facts, but no language variant" if odd[0] in counts else "a language variant, but no facts"
        raise FactrootsError(
            f"there are {what} in {odd[0]}; --facts-langs and --language-variants name the same languages"
        )
    for lang, count in counts.items():
        if count < batch:
            raise FactrootsError(
                f"there are {count:,} examples{lang and f' in {lang}'} to train on, fewer than a batch of {batch}; "
                "give more text or facts, or pass a smaller --batch"
            )
