"""What perplexity is meant: one value, one canonical text. Three measures, which must not be taken for each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from probe.geometry import masks

if TYPE_CHECKING:
    from fine_tuning.models import Loaded


class Kind(NamedTuple):
    """Of which family of models it is asked, of what share of the tokens by default, and how (:mod:`.masks`)."""

    family: str
    share: float
    ask: Callable[..., masks.Asking]


#: ``mlm``: all places of a sequence at once, as in training (Chang et al. 2022). ``pseudo``: each place on its own, all
#: else seen (Salazar et al. 2020), of a sample of places. ``causal``: every token after what stands before it.
MEASURES = {
    "mlm": Kind("masked", 0.15, masks.together),
    "pseudo": Kind("masked", 0.02, masks.one_by_one),
    "causal": Kind("causal", 1.0, masks.after),
}


@dataclass(frozen=True)
class Measure:
    """``mlm``, ``pseudo(share=0.05)``, ``causal``; `share` is that of the ordinary tokens which are asked."""

    name: str
    share: float

    def __post_init__(self):
        if self.name not in MEASURES:
            raise unknown("measure", self.name, MEASURES)
        if not 0 < self.share <= 1:
            raise FactrootsError(f"{self.name}: share is that of the tokens asked, above 0 and at most 1")

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Read a measure's text; raises FactrootsError for what is none."""
        spec = Spec.parse(text)
        if spec.path is not None or spec.name not in MEASURES:
            raise unknown("measure", text, MEASURES)
        share = MEASURES[spec.name].share
        for key, value in spec.args:
            try:
                (only,) = value
                share = float(only)
            except ValueError:
                key = ""
            if key != "share":
                raise FactrootsError(f"cannot read {text!r}; expected {spec.name}(share=0.1)")
        return cls(spec.name, share)

    @classmethod
    def of(cls, loaded: Loaded, text: str | None) -> Measure:
        """The measure named, or the usual one of the model's family.

        Raises FactrootsError where the family cannot be asked so.
        """
        able = [name for name, kind in MEASURES.items() if kind.family == loaded.family]
        if not able:
            raise FactrootsError(f"model {loaded.spec} is a {loaded.family} LM; its perplexity is not measured")
        measure = cls.parse(text or able[0])
        if measure.name not in able:
            raise FactrootsError(
                f"{measure.name} perplexity is of {MEASURES[measure.name].family} LMs, and {loaded.spec} is a "
                f"{loaded.family} LM; choose --measure {' or '.join(able)}"
            )
        return measure

    @property
    def ask(self) -> Callable[..., masks.Asking]:
        return MEASURES[self.name].ask

    def __str__(self) -> str:
        usual = self.share == MEASURES[self.name].share
        return str(Spec(self.name, None, () if usual else (("share", (f"{self.share:g}",)),)))
