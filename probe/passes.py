"""Which way of scoring a protocol asks for: the pass over the model, in one canonical text.

Protocols of one pass are views of one run: ``kassner2021`` and ``zhao2024-full`` both need ``masks``, whereas
``bmlama`` needs ``l2r`` of a masked LM and ``sentence`` of a causal one.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from data_builders.errors import FactrootsError
from data_builders.spec import Spec
from probe.protocols import NUMBERS, PLL, Protocol
from probe.scoring.encode import glue


class Way(NamedTuple):
    """A scorer's class, the keywords that make it this way, and the protocol parts that it takes as keywords."""

    name: str
    scorer: str
    fixed: tuple[tuple[str, str], ...] = ()
    takes: tuple[str, ...] = ()


_PSEUDO = {metric: Way("pseudo", "pseudo:PseudoScorer", (("metric", metric),)) for metric in PLL}
_SENTENCE = Way("sentence", "causal:CausalScorer", takes=("best",))
_SENTINEL = Way("sentinel", "sentinel:SentinelScorer")

#: By a protocol's way of scoring and the model's family. Adding one is a line.
WAYS = {
    ("masks", "masked"): Way("masks", "masked:MaskedScorer", takes=("join",)),
    ("decode", "masked"): Way("decode", "decode:DecodeScorer", takes=("join", "init", "iterate", "masks")),
    ("l2r", "masked"): Way("l2r", "left_to_right:LeftToRightScorer", takes=("join", "fill")),
    ("l2r", "causal"): _SENTENCE,
    ("l2r", "seq2seq"): _SENTINEL,
    ("sentence", "masked"): _PSEUDO["within_word_l2r"],
    ("sentence", "causal"): _SENTENCE,
    ("sentence", "seq2seq"): _SENTINEL,
    **{(metric, "masked"): way for metric, way in _PSEUDO.items()},
}
#: What a model of each family is scored by where no protocol is named.
DEFAULT = {"masked": "kassner2021", "causal": "bear", "seq2seq": "bear"}

_PLAIN = {
    "join": "space",
    "fill": "ids",
    "case": "keep",
    "init": "all",
    "iterate": "none",
    "masks": NUMBERS["masks"][0],
    "best": 0,
    "shots": 0,
}


def _way(protocol: Protocol, family: str) -> Way:
    way = WAYS.get((protocol.scoring, family))
    if way is None:
        able = sorted({kind for scoring, kind in WAYS if scoring == protocol.scoring})
        raise FactrootsError(
            f"protocol {protocol} needs a {' or '.join(able)} LM, and this one is {family}; "
            f"try --protocol {DEFAULT[family]}"
        )
    return way


def needed(protocol: Protocol, family: str, langs: Sequence[str]) -> str:
    """The pass that a protocol needs of a model of this family: ``masks``, ``sentence(shots=3)``, ..

    Masks are joined in one way in all of `langs` or they are not: where no script is without spaces, the two ways of
    joining are one. Raises FactrootsError when no model of the family can give it.
    """
    way, values = _way(protocol, family), {"shots": protocol.shots, "case": protocol.case}
    values |= {part: getattr(protocol, part) for part in way.takes} | dict(way.fixed)
    if "join" in values and all(glue(values["join"], lang) == " " for lang in langs):
        values["join"] = "space"
    args = [(part, (str(value),)) for part, value in sorted(values.items()) if value != _PLAIN.get(part)]
    return str(Spec(way.name, None, tuple(args)))


def serves(run: str, wanted: str) -> bool:
    """Whether a run of one pass holds what another would give: the same, or its best alone."""
    return run in (wanted, str(_without(wanted, "best")))


def _without(text: str, part: str) -> Spec:
    spec = Spec.parse(text)
    return Spec(spec.name, None, tuple(a for a in spec.args if a[0] != part))


def parts(text: str) -> dict[str, str | int]:
    """The values that a pass was made with, by name."""
    given = {part: value[0] for part, value in Spec.parse(text).args}
    return _PLAIN | {part: int(value) if part in NUMBERS else value for part, value in given.items()}


def has_priors(text: str) -> bool:
    """Whether a pass scores sentences without their subject too: where it scores candidates, and all of them."""
    return Spec.parse(text).name != "decode" and not parts(text)["best"]


def scorer(text: str, model, tokenizer):
    """The scorer of a pass, ready to work."""
    name, values = Spec.parse(text).name, parts(text)
    way = next(w for w in WAYS.values() if w.name == name and dict(w.fixed).items() <= values.items())
    module, _, kind = way.scorer.partition(":")
    takes = {part: values[part] for part in way.takes}
    if "best" in takes:
        takes["best"] = takes["best"] or None
    return getattr(import_module(f"probe.scoring.{module}"), kind)(model, tokenizer, **dict(way.fixed), **takes)
