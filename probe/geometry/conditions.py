"""What is done to states at a layer: named conditions, each an affine map made of languages' fits.

A is the language of the text, B another. Controls stand beside the conditions that they are controls of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from probe.geometry.affine import AffineMap
from probe.geometry.erasing import Eraser, leace
from probe.geometry.fits import Fits
from probe.geometry.subspace import Subspace
from probe.tracing.neurons.silence import seeded


class Place(NamedTuple):
    """Where a map is made for: the fits, a layer, languages A and B (None where none is needed), the share of variance
    that subspaces hold, the seed of what is drawn, and the mean [d] of A's test text (None until it is known)."""

    fits: Fits
    layer: int
    a: str
    b: str | None
    variance: float
    seed: int
    test: np.ndarray | None = None

    def subspace(self, lang: str, part: str = "fit") -> Subspace:
        return self.fits.subspace(lang, self.layer, part)

    def mean(self, lang: str, part: str = "fit") -> np.ndarray:
        return self.fits.mean(lang, self.layer, part)


def _own(at: Place) -> AffineMap:
    return _into(at.subspace(at.a), at)


def _other(at: Place) -> AffineMap:
    return _into(at.subspace(at.b), at)


def _into(subspace: Subspace, at: Place) -> AffineMap:
    """The projection into an affine subspace."""
    return AffineMap(subspace.basis(at.variance), subspace.mean, subspace.mean)


def _other_own_mean(at: Place) -> AffineMap:
    return AffineMap(at.subspace(at.b).basis(at.variance), at.mean(at.a), at.mean(at.a))


def _shift(at: Place) -> AffineMap:
    return AffineMap(None, at.mean(at.a), at.mean(at.b))


def _shift_project(at: Place) -> AffineMap:
    return AffineMap(at.subspace(at.b).basis(at.variance), at.mean(at.a), at.mean(at.b))


def _shared(at: Place) -> AffineMap:
    basis = low_rank(np.stack([at.mean(lang) for lang in at.fits.langs], axis=1))
    return AffineMap(basis, none := np.zeros(at.fits.width), none, keep=False)


def low_rank(means: np.ndarray) -> np.ndarray:
    """LSAR's directions of languages, orthonormal [d, L − 1], of their means [d, L] (Xie et al. 2022, algorithm 1).

    All that the means differ by is kept, as published (rank 36 of 37 languages).
    """
    rank = means.shape[1] - 1
    center = means.mean(axis=1, keepdims=True)
    u, s, vh = np.linalg.svd(means - center, full_matrices=False)
    fitted = center + u[:, :rank] * s[:rank] @ vh[:rank]
    offset = np.linalg.pinv(fitted).T.sum(axis=1, keepdims=True)
    offset /= (offset**2).sum()  # nearest to the origin of all that all languages share
    return np.linalg.svd(fitted - offset, full_matrices=False)[0][:, :rank]


def _centre(at: Place) -> AffineMap:
    return AffineMap(None, at.mean(at.a), np.zeros(at.fits.width))


def _centre_test(at: Place) -> AffineMap:
    return AffineMap(None, at.test, np.zeros(at.fits.width))


def _erase(at: Place) -> Eraser:
    return leace([at.fits.moments(lang, at.layer) for lang in at.fits.langs])


def _full(at: Place) -> AffineMap:
    return _own(at._replace(variance=1.0))


def _random(at: Place) -> AffineMap:
    own = at.subspace(at.a)
    draw = seeded("random basis", at.seed, at.a, at.layer).normal(size=(at.fits.width, own.k(at.variance)))
    return AffineMap(np.linalg.qr(draw)[0], own.mean, own.mean)


def _pooled(at: Place) -> AffineMap:
    total = at.fits.classes("language", at.layer).total
    return _into(Subspace.of(total, f"all languages, layer {at.layer}"), at)


def _again(at: Place) -> AffineMap:
    return _into(at.subspace(at.a, "again"), at)


def _shift_again(at: Place) -> AffineMap:
    return AffineMap(None, at.mean(at.a), at.mean(at.a, "again"))


class Kind(NamedTuple):
    """How its map is made, whether it needs another language, the fewest languages of the fits, and what it does."""

    map: Callable[[Place], AffineMap | Eraser]
    summary: str
    other: bool = False
    languages: int = 1


#: Adding one is a function and a line. The first six are those of Chang, Tu & Bergen (2022).
CONDITIONS = {
    "own": Kind(_own, "into A's subspace"),
    "other": Kind(_other, "into B's subspace", True),
    "other-own-mean": Kind(_other_own_mean, "onto B's axes about A's mean", True),
    "shift": Kind(_shift, "from A's mean to B's", True),
    "shift-project": Kind(_shift_project, "from A's mean to B's, and into B's subspace", True),
    "shared": Kind(_shared, "all that languages' means differ by taken out, A unknown (LSAR)", languages=2),
    "centre": Kind(_centre, "A's mean taken off (Libovický et al. 2020), that of the fits' text"),
    "centre(test)": Kind(_centre_test, "the mean of the very text that is measured taken off"),
    "erase": Kind(_erase, "what tells languages apart linearly taken out, A unknown (LEACE)", languages=2),
    "full": Kind(_full, "control: all of A's axes, which changes nothing"),
    "random": Kind(_random, "control of own: random axes, as many, about A's mean"),
    "pooled": Kind(_pooled, "control of own: into the subspace of all languages' text together"),
    "again": Kind(_again, "control of other: the subspace of other text of A as B's"),
    "shift-again": Kind(_shift_again, "control of shift: the mean of other text of A as B's"),
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
