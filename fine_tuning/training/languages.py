"""Variants of languages, each on the model for as long as a batch of its language is run: multi-source training.

composable-sft (Ansell et al. 2022) so trains one task in several languages at once: φ_T is learned on top of whichever
φ_L is on. It takes a variant off by subtracting it; here the weights that it touched are put back, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from data_builders.errors import FactrootsError
from fine_tuning.variants.applying import with_copy
from fine_tuning.variants.delta import add_to
from fine_tuning.variants.delta_file import read_delta
from fine_tuning.variants.folder import Variant
from fine_tuning.variants.names import embeddings_name, parameters, untie


class Languages:
    """Differences of weights by language, and how many times each is added to `model`, whose head is given a copy of
    the embeddings where one of them was made so.

    Raises FactrootsError for a variant of another kind.
    """

    def __init__(self, model, variants: Mapping[str, tuple[Variant, float]]):
        for variant, _ in variants.values():
            if variant.about.kind != "delta":
                raise FactrootsError(
                    f"{variant.folder} is a {variant.about.kind}, no difference of weights; a language variant is one, "
                    "as lt-sft and full make"
                )
        if any(variant.about.tie == "untied" for variant, _ in variants.values()):
            untie(model)
        self.model = model
        #: By the names that variants know, which change where a method puts modules of its own around parameters.
        self.own, self.embeddings = parameters(model), embeddings_name(model)
        self.deltas = {lang: (read_delta(v.folder), scale, v.about.tie) for lang, (v, scale) in variants.items()}

    @contextmanager
    def spoken(self, lang: str | None) -> Iterator[None]:
        """The model with the variant of `lang` on, for as long as it is entered; as it is where there is none."""
        delta, scale, tie = self.deltas.get(lang, ({}, 1.0, "separate"))
        undo = add_to(*with_copy(self.model, self.own, delta, tie, self.embeddings), scale)
        try:
            yield
        finally:
            undo()
