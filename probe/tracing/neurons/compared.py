"""A fact beside its controls: as many random neurons, and other facts of its relation with its own neurons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from probe.tracing.neurons.asked import Asked
from probe.tracing.neurons.reading import Reader
from probe.tracing.neurons.silence import Trial, random_like, seeded
from probe.tracing.neurons.silencing import Silencing


class Compared:
    """Fact `number` of those of its relation that are `asked` in `lang`, with its neurons silenced.

    ``drop`` is how much its log p falls, ``drops`` those of the controls that it has been compared with so far, and
    ``most`` how many other facts there are for that. Draws depend on the seed, the language and the fact alone.
    """

    def __init__(
        self, reader: Reader, silencing: Silencing, lang: str, asked: Sequence[Asked], number: int, silent: np.ndarray
    ):
        draw = seeded(silencing.seed, lang, asked[number].fact)
        rest = np.delete(np.arange(len(asked)), number)
        self.own, self.drop = Trial(number, silent), 0.0
        self.most = min(silencing.controls, len(rest))
        self._others = iter(draw.choice(rest, self.most, replace=False).tolist())
        self._sets = random_like(silent, reader.neurons.widths, silencing.controls, draw)
        self.drops = np.empty(0), np.empty(0)

    def controls(self, number: int) -> tuple[list[Trial], list[Trial]]:
        """The next `number` trials, as far as there are: the fact with random neurons, and other facts with its own."""
        return (
            [Trial(self.own.number, neurons) for neurons in islice(self._sets, number)],
            [Trial(other, self.own.silent) for other in islice(self._others, number)],
        )

    def add(self, *drops: np.ndarray) -> None:
        self.drops = tuple(np.concatenate(pair) for pair in zip(self.drops, drops, strict=True))

    def shares(self) -> list[float]:
        """Of random draws, and of other facts: how many reach the fact's drop, (c + 1) / (n + 1)."""
        return [(1 + (part >= self.drop).sum()) / (1 + len(part)) for part in self.drops]

    @property
    def settled(self) -> bool:
        """Whether more controls cannot make it specific: one has reached it, or there are no other facts left."""
        return any((part >= self.drop).any() for part in self.drops) or len(self.drops[0]) >= max(1, self.most)
