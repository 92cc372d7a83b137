"""Every condition at every layer, on the text that no fit has seen: what it comes to, sequence by sequence, and kept.

The rows of a language are written batch by batch; a killed sweep goes on with the same command, to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache, partial

import numpy as np
import pyarrow as pa

from data_builders.progress import Quiet
from fine_tuning.models import Loaded
from probe.geometry.body import Body
from probe.geometry.conditions import Condition
from probe.geometry.fits import Fits
from probe.geometry.masks import Words, askings, batches, joined
from probe.geometry.perplexity import Meter, Said
from probe.geometry.plan import Plan, Swept
from probe.geometry.rows import ROWS, Under, rows, together
from probe.geometry.share import Vocabularies
from probe.geometry.text import special_ids
from probe.journal import journal
from probe.scoring.scorer import BATCH_TOKENS

#: What the maps of the layers that are dealt with together may take: 512 MB.
MAPS = 1 << 29


def sweep(plan: Plan, fits: Fits, loaded: Loaded, swept: Swept, bar: Quiet) -> None:
    """Measure every language that is not finished yet, and leave its rows in the folder.

    Raises FactrootsError where the model is not that of the fits.
    """
    fits.need(loaded)
    left = [lang for lang in plan.langs if not swept.rows(lang).exists()]
    if not left:
        return
    meter = Meter(Body.of(loaded, fits.about.at), fits.sequences(left[0]).test[0], plan.specials)
    words = Vocabularies(fits, loaded)
    for lang in left:
        language = _Language(plan, fits, lang, meter, words)
        bar.start(lang, language.number)
        with journal(swept.rows(lang), ROWS) as (done, add):
            for number, step in enumerate(language.steps()):
                if number >= done:
                    add(step())
                bar.advance(1, before=number < done)


class _Language:
    """The steps of one language; nothing is run before a step is called, so that a resumed sweep passes over some."""

    def __init__(self, plan: Plan, fits: Fits, lang: str, meter: Meter, words: Vocabularies):
        self.plan, self.fits, self.lang, self.meter, self.words = plan, fits, lang, meter, words
        self.test, tokenizer = fits.sequences(lang).test, meter.body.loaded.tokenizer
        self.asked = askings(plan.measure, self.test, lang, Words.of(tokenizer), plan.seed)
        self.batches = [*batches(self.asked, BATCH_TOKENS)]
        self.conditions = plan.of(lang, fits)
        self.left_out = [] if fits.about.specials else special_ids(tokenizer)

    @property
    def number(self) -> int:
        return len(self.batches) * (1 + len(self.plan.layers))

    def steps(self) -> Iterator[Callable[[], pa.RecordBatch]]:
        """Of each batch a plain pass, from whose states at each layer it is gone on under every condition.

        As many layers at a time as have room for their maps.
        """
        size = max(1, MAPS // (max(1, len(self.conditions)) * self.fits.width**2 * 8))
        groups = [self.plan.layers[i : i + size] for i in range(0, len(self.plan.layers), size)]
        for number, layers in enumerate(groups):
            maps = lru_cache(len(layers))(self._maps)
            for which in self.batches:
                batch = _Batch(self, which, layers)
                if number == 0:
                    yield batch.plain_rows
                for layer in layers:
                    yield partial(batch.rows, layer, maps)

    def _maps(self, layer: int) -> list:
        plan, test = self.plan, None if self._test_means is None else self._test_means[layer]
        return [one.map(self.fits, layer, self.lang, plan.variance, plan.seed, test) for one in self.conditions]

    @cached_property
    def _test_means(self) -> np.ndarray | None:
        """Of the text as it is, nothing of it masked, [L + 1, d]; None where no condition asks for them."""
        if Condition("centre(test)") not in self.conditions:
            return None
        counted, total = ~np.isin(self.test, self.left_out), 0.0
        for which in self.batches:
            rows = slice(which.start, which.stop)
            total += self.meter.body.states(self.test[rows], counted[rows]).sum(axis=1, dtype=np.float64)
        return total / counted.sum()


class _Batch:
    """Some sequences, by number, and their plain pass, which is made once."""

    def __init__(self, language: _Language, which: range, layers: Sequence[int]):
        self.language, self.which, self.layers = language, which, layers
        self.asking = joined([language.asked[i] for i in which])

    @cached_property
    def plain(self) -> tuple[Said, dict]:
        return self.language.meter.plain(self.asking, self.layers)

    def plain_rows(self) -> pa.RecordBatch:
        """Rows of no condition: once, and for each language B with its tokens counted."""
        others = dict.fromkeys([None, *(one.other for one in self.language.conditions)])
        return together([self._rows(self.plain[0], Under(self.language.lang, other=other)) for other in others])

    def rows(self, layer: int, maps: Callable[[int], list]) -> pa.RecordBatch:
        """Rows of every condition at a layer."""
        language, states, found = self.language, self.plain[1], []
        for one, map in zip(language.conditions, maps(layer), strict=True):
            said = language.meter.under(self.asking, layer, map, states)
            found.append(self._rows(said, Under(language.lang, one.kind, one.other, layer)))
        return together(found)

    def _rows(self, said: Said, under: Under) -> pa.RecordBatch:
        own = None if under.other is None else self.language.words.own(under.lang, under.other)
        return rows(under, self.which, self.asking, said, own)
