"""What is done to states at a layer: conditions by name, and the controls that stand beside them.

A is the language of the text, B another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from probe.geometry import interventions as to
from probe.geometry.affine import AffineMap
from probe.geometry.erasing import Eraser
from probe.geometry.fits import Fits
from probe.geometry.interventions import Place


class Kind(NamedTuple):
    """How its map is made, what it does, whether it needs another language, and the fewest languages of the fits."""

    map: Callable[[Place], AffineMap | Eraser]
    summary: str
    other: bool = False
    languages: int = 1


#: Adding one is a function and a line. The first five are those of Chang, Tu & Bergen (2022).
CONDITIONS = {
    "own": Kind(to.own, "into A's subspace"),
    "other": Kind(to.other, "into B's subspace", True),
    "other-own-mean": Kind(to.other_own_mean, "onto B's axes about A's mean", True),
    "shift": Kind(to.shift, "from A's mean to B's", True),
    "shift-project": Kind(to.shift_project, "from A's mean to B's, and into B's subspace", True),
    "shared": Kind(to.shared, "all that languages' means differ by taken out, A unknown (LSAR)", languages=2),
    "centre": Kind(to.centre, "A's mean taken off (Libovický et al. 2020), that of the fits' text"),
    "centre(test)": Kind(to.centre_test, "the mean of the very text that is measured taken off"),
    "erase": Kind(to.erase, "what tells languages apart linearly taken out, A unknown (LEACE)", languages=2),
    "full": Kind(to.full, "control: all of A's axes, which changes nothing"),
    "random": Kind(to.random, "control of own: random axes, as many, about A's mean"),
    "pooled": Kind(to.pooled, "control of own: into the subspace of all languages' text together"),
    "again": Kind(to.again, "control of other: the subspace of other text of A as B's"),
    "shift-again": Kind(to.shift_again, "control of shift: the mean of other text of A as B's"),
}
#: What is measured if nothing else is said: the published projections and the shift, with their controls.
DEFAULT = ("own", "other", "other-own-mean", "shift", "full", "random", "pooled", "again", "shift-again")


@dataclass(frozen=True)
class Condition:
    """``own``, ``other(it)``, ..: a kind of :data:`CONDITIONS`, and language B where the kind needs one."""

    kind: str
    other: str | None = None

    def __post_init__(self):
        if self.kind not in CONDITIONS:
            raise unknown("condition", self.kind, CONDITIONS)
        if CONDITIONS[self.kind].other != (self.other is not None):
            needs = f"needs another language, as {self.kind}(it)" if self.other is None else "takes no language"
            raise FactrootsError(f"condition {self.kind} {needs}")

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition's text; raises FactrootsError for what is none."""
        text = text.strip()
        if text in CONDITIONS:
            return cls(text)
        spec = Spec.parse(text)
        if spec.path is not None or len(spec.args) != 1 or spec.args[0][1]:
            raise unknown("condition", text, CONDITIONS)
        return cls(spec.name, spec.args[0][0])

    def map(self, fits: Fits, layer: int, lang: str, variance: float, seed: int, test=None) -> AffineMap | Eraser:
        """What it does to `lang` at `layer`. `test` is the mean of the text measured, where a kind takes that off."""
        return CONDITIONS[self.kind].map(Place(fits, layer, lang, self.other, variance, seed, test))

    def __str__(self) -> str:
        return self.kind if self.other is None else str(Spec(self.kind, None, ((self.other, ()),)))


def expanded(names: Sequence[str], lang: str, others: Sequence[str], fits: Fits) -> list[Condition]:
    """The conditions that are named, a kind's name standing for it with each of the others but `lang` itself.

    Raises FactrootsError for languages that the fits do not have, and where there is none for a condition that needs
    one.
    """
    made: dict[Condition, None] = {}
    for name in names:
        kind = CONDITIONS.get(name.strip())
        several = kind is not None and kind.other
        if several and not set(others) - {lang}:
            raise FactrootsError(
                f"condition {name} needs a language beside {lang}; name one with --others, or leave it out"
            )
        for one in [Condition(name.strip(), b) for b in others] if several else [Condition.parse(name)]:
            if one.other not in (None, *fits.langs):
                raise unknown("language of the fits", one.other, fits.langs)
            if len(fits.langs) < (least := CONDITIONS[one.kind].languages):
                raise FactrootsError(f"condition {one} needs fits of {least} languages; leave it out of --conditions")
            if one.other != lang:
                made[one] = None
    return list(made)
