"""What may give an answer away without any text that states it: cues as data, in order, of which the first counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec
from probe.tracing.characters import singles

#: Relations whose object a name may suggest: country, citizenship, languages spoken, religion, native language.
NAMING = ("P17", "P27", "P1412", "P140", "P103")


class Known(NamedTuple):
    """What a cue may look at beside the facts: the tokenizer, and the facts that the model answers without subject."""

    tokenizer: object
    guessed: Collection[str]


class Cue(NamedTuple):
    """``hits`` takes facts, what is known, and the parameter, and says of each fact whether it is given away [facts].

    ``default`` is the parameter where none is given.
    """

    hits: Callable[[pa.Table, Known, int], np.ndarray]
    default: int
    reason: str


def _substring(facts: pa.Table, known: Known, _: int) -> np.ndarray:
    """The object's name stands in the subject's, case aside (Zhao et al. 2024, rule 1a)."""
    pairs = zip(facts["subject"].to_pylist(), facts["object"].to_pylist(), strict=True)
    return np.array([other.lower() in subject.lower() for subject, other in pairs], bool)


def _pieces(facts: pa.Table, known: Known, letters: int) -> np.ndarray:
    """Subject and object share a word-piece of at least `letters` characters (rule 1b, which takes any piece)."""
    tokenizer = known.tokenizer
    special = set(tokenizer.all_special_ids)
    long: dict[int, bool] = {}

    def keeps(piece: int) -> bool:
        if piece not in long:
            text = tokenizer.decode([piece]).strip().removeprefix("##")
            alone = len(text) == 1 and bool(singles()[ord(text)])  # an ideograph is as good as a word
            long[piece] = piece not in special and bool(text) and (alone or len(text) >= letters)
        return long[piece]

    sides = [
        tokenizer(facts[side].to_pylist(), add_special_tokens=False)["input_ids"] for side in ("subject", "object")
    ]
    return np.array([any(keeps(p) for p in {*one} & {*other}) for one, other in zip(*sides, strict=True)], bool)


def _relation(facts: pa.Table, known: Known, _: int) -> np.ndarray:
    """The relation is one of :data:`NAMING`, whatever the names are (rule 2)."""
    return np.isin(facts["relation"].to_numpy(zero_copy_only=False).astype(str), NAMING)


def _prior(facts: pa.Table, known: Known, top: int) -> np.ndarray:
    """The model gives this object without this subject, or it is among the relation's `top` most frequent ones.

    The first is that of all candidates it has the highest mean probability over the relation's other subjects. An
    object that one fact alone has is not frequent.
    """
    relations, objects = facts["relation"].to_pylist(), facts["object_uri"].to_pylist()
    counts: dict[str, Counter] = {}
    for relation, uri in zip(relations, objects, strict=True):
        counts.setdefault(relation, Counter())[uri] += 1
    frequent = {r: {uri for uri, n in sorted(c.items(), key=lambda x: (-x[1], x[0]))[:top] if n > 1}
                for r, c in counts.items()}  # fmt: skip
    keys = facts["fact"].to_pylist()
    rows = zip(keys, relations, objects, strict=True)
    return np.array([key in known.guessed or uri in frequent[relation] for key, relation, uri in rows], bool)


#: Every cue by name. Adding one is a function and a line.
CUES = {
    "substring": Cue(_substring, 0, "the subject's name holds the object's"),
    "pieces": Cue(_pieces, 3, "the names share a word-piece"),
    "relation": Cue(_relation, 0, "names suggest the objects of this relation"),
    "prior": Cue(_prior, 3, "the object is what the relation is answered with anyway"),
}
#: Cues as published.
PRESETS = {"zhao2024": "cues(substring,pieces=1,relation)", "none": "cues"}


@dataclass(frozen=True)
class Cues:
    """``cues(substring,pieces=3,relation,prior=3)``: which cues, in which order, with their parameters."""

    chosen: tuple[tuple[str, int], ...] = tuple((name, cue.default) for name, cue in CUES.items())

    @classmethod
    def parse(cls, text: str) -> Cues:
        """Read cues' text; raises FactrootsError for what is none."""
        spec = Spec.parse(PRESETS.get(text.strip(), text))
        if spec.name != "cues" or spec.path is not None:
            raise FactrootsError(
                f"cannot read {text!r}; expected zhao2024, none, or some of cues({','.join(CUES)}) in any order"
            )
        chosen = []
        for name, value in spec.args:
            if name not in CUES:
                raise unknown("cue", name, CUES)
            if value and (len(value) != 1 or not value[0].isdecimal()):
                raise FactrootsError(f"{text}: {name} takes a whole number")
            chosen.append((name, int(value[0]) if value else CUES[name].default))
        return cls(tuple(chosen))

    def __str__(self) -> str:
        args = [(name, (str(value),) if value != CUES[name].default else ()) for name, value in self.chosen]
        return str(Spec("cues", None, tuple(args)))

    def without(self, name: str) -> Cues:
        """The others."""
        return Cues(tuple(one for one in self.chosen if one[0] != name))

    def hits(self, facts: pa.Table, known: Known) -> dict[str, np.ndarray]:
        """Every cue's hits over `facts`, in order."""
        return {name: CUES[name].hits(facts, known, value) for name, value in self.chosen}
