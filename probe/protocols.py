"""The Protocol value: everything that decides what a P@1 means, spelled in one canonical text.

>>> Protocol.parse("typed(combine=mean,join=space,skip=date)")
Protocol.parse('kassner2021')
>>> str(Protocol.parse("kassner2021(combine=sum)"))
'typed(join=space,combine=sum,skip=date)'
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from data_builders.errors import FactrootsError, unknown
from data_builders.factset import GOLDS
from data_builders.spec import Spec

PLL = ("original", "within_word_l2r", "sentence_l2r", "answer_l2r+word_l2r")

#: Every part of a protocol that is chosen from a list; the first is the default.
PARTS = {
    "kind": ("typed", "vocabulary", "decoded"),
    "scoring": ("masks", "l2r", "sentence", *PLL, "decode"),
    "join": ("script", "space", "zh"),
    "fill": ("ids", "text"),
    "case": ("keep", "capital"),
    "length": ("own", "oracle", "mean", "sum", "gold"),
    "combine": ("mean", "sum", "logit", "full", "partial"),
    "prior": ("none", "removed", "subjects"),
    "init": ("all", "left", "confidence"),
    "iterate": ("none", "left", "confidence"),
    "match": ("exact", "xfactr", "folded"),
    "identity": ("uri", "label"),
    "ties": ("expected", "optimistic", "pessimistic"),
    "unk": ("keep", "drop"),
    "gold": ("set", *GOLDS),
    "aggregate": ("macro", "micro"),
}
#: The parts that are numbers: their default, least and greatest value.
NUMBERS = {"masks": (5, 1, 20), "shots": (0, 0, 32), "best": (0, 0, 1000)}

_PLAIN = {"init": ("all",), "iterate": ("none",), "match": ("exact",), "masks": (5,)}  # what decoding alone asks for
#: What a kind allows, where it is less than everything; the first is the kind's default.
ALLOWED = {
    "typed": _PLAIN
    | {
        "scoring": ("masks", "l2r", "sentence", *PLL),
        "length": ("own",),
        "combine": ("mean", "sum", "logit"),
    },
    "vocabulary": _PLAIN
    | {
        "scoring": ("masks",),
        "length": ("oracle",),
        "combine": ("full", "partial"),
        "prior": ("none",),
        "aggregate": ("micro", "macro"),
        "best": (0,),
    },
    "decoded": {
        "scoring": ("decode",),
        "length": ("mean", "sum", "gold"),
        "combine": ("full",),
        "prior": ("none",),
        "match": ("folded", "xfactr", "exact"),
        "best": (0,),
    },
}


@dataclass(frozen=True)
class Protocol:
    """What a number means.

    kind
        ``typed``: the model chooses among candidates (the relation's objects, or those that the set gives).
        ``vocabulary``: at each mask it chooses among all tokens, positions independent.
        ``decoded``: it fills in 1 to `masks` masks and chooses which of these answers it gives.
    scoring
        ``masks``: as many masks as a candidate has tokens, positions independent. ``l2r``: the candidate's tokens are
        filled in from left to right. ``sentence``: the whole filled sentence, by a causal LM's likelihood or a masked
        LM's pseudo-log-likelihood, of which ``within_word_l2r`` is meant unless ``original``, ``sentence_l2r`` or
        ``answer_l2r+word_l2r`` is said. ``decode``: see `init` and `iterate`.
    join
        What stands between masks: ``script``, nothing in scripts without spaces; ``space``, a space everywhere; ``zh``,
        nothing in Chinese alone.
    fill
        How ``l2r`` fills tokens in: as ``ids``, or as the ``text`` of their pieces, which is then tokenised anew.
    case
        ``capital``: a filled sentence begins with a capital letter; ``keep``: as it is written.
    shots
        So many solved facts of the relation stand before the sentence; they are not scored.
    best
        Score no more candidates than it takes to know the `best` best; 0 scores them all.
    length
        ``own``: a candidate is scored with as many masks as it has tokens. ``oracle``: right if any number of masks
        from 1 to the relation's longest object gives the answer. ``mean``, ``sum``: the number of masks whose answer
        has the highest log-probability per token, or in sum. ``gold``: the object's own number of tokens.
    combine
        ``mean`` or ``sum`` of the tokens' log-probabilities, or the mean raw ``logit``; or, without candidates, whether
        the answer is exactly the object (``full``) or holds all of its tokens in any order (``partial``).
    prior
        What is subtracted from a candidate's score: ``none``; its score in the sentence without the subject
        (``removed``); the log of its mean probability among the candidates over the relation's other ``subjects``.
    init, iterate, masks
        How masks are filled: all at once, from the left, or by confidence; then whether they are predicted again.
    match
        How an answer is compared with the object's names: ``exact``, ``folded``, or as ``xfactr`` does.
    identity
        ``uri``: candidates are entities, and entities of one spelling tie. ``label``: they are one candidate.
    ties
        ``expected``: the value expected when ties are broken at random; ``optimistic`` and ``pessimistic`` break
        them for or against the right answer. The order of candidates never matters.
    unk
        ``keep`` scores an object that the tokenizer cannot spell by its unknown token; ``drop`` leaves it out.
    gold
        Which objects are right where a subject has several; ``set``: as the fact set says.
    aggregate
        ``micro``: over facts. ``macro``: over the facts of a relation, then over relations, then over languages.
    skip
        Relations with this in their name are left out.
    """

    kind: str = "typed"
    scoring: str = "masks"
    join: str = "script"
    fill: str = "ids"
    case: str = "keep"
    shots: int = 0
    best: int = 0
    length: str = "own"
    combine: str = "mean"
    prior: str = "none"
    init: str = "all"
    iterate: str = "none"
    masks: int = 5
    match: str = "exact"
    identity: str = "uri"
    ties: str = "expected"
    unk: str = "keep"
    gold: str = "set"
    aggregate: str = "macro"
    skip: str = ""

    def __post_init__(self):
        allowed = ALLOWED.get(self.kind, {})
        for part, values in (PARTS | {k: v for k, v in allowed.items() if k in PARTS}).items():
            if getattr(self, part) not in values:
                raise FactrootsError(f"{unknown(part, getattr(self, part), values)} in a {self.kind} protocol")
        for part, (_, least, most) in NUMBERS.items():
            value = getattr(self, part)
            if not least <= value <= most or value not in allowed.get(part, (value,)):
                raise FactrootsError(f"{part}={value} does not fit a {self.kind} protocol")
        if conflict := _conflict(self):
            raise FactrootsError(conflict)

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Read a preset's name, a kind, or either with parts set by hand: ``kassner2021(combine=sum)``."""
        spec = Spec.parse(text)
        if spec.name not in PRESETS and spec.name not in PARTS["kind"]:
            raise unknown("protocol", spec.name, (*PRESETS, *PARTS["kind"]))
        if spec.path is not None:
            raise FactrootsError(f"protocol {spec.name} takes its parts in brackets, as {spec.name}(ties=expected)")
        values = asdict(PRESETS[spec.name]) if spec.name in PRESETS else _defaults(spec.name)
        for key, value in spec.args:
            if key not in values or key == "kind" or len(value) != 1:
                raise unknown("protocol part", key, [f"{f.name}=…" for f in fields(cls)[1:]])
            values[key] = _number(key, value[0]) if key in NUMBERS else value[0]
        return cls(**values)

    def __str__(self) -> str:
        for name, preset in PRESETS.items():
            if preset == self:
                return name
        plain = _defaults(self.kind)
        args = [(key, (str(value),)) for key, value in asdict(self).items() if value != plain[key]]
        return str(Spec(self.kind, None, tuple(args)))

    def __repr__(self) -> str:
        return f"Protocol.parse({str(self)!r})"

    def of(self, gold: str) -> str:
        """The gold policy, where the fact set's own is `gold`."""
        return gold if self.gold == "set" else self.gold


def _defaults(kind: str) -> dict[str, str | int]:
    allowed = PARTS | {part: (default,) for part, (default, _, _) in NUMBERS.items()}
    allowed = allowed | ALLOWED[kind] | {"kind": (kind,), "skip": ("",)}
    return {field.name: allowed[field.name][0] for field in fields(Protocol)}


def _number(part: str, text: str) -> int:
    if not text.isdecimal():
        raise FactrootsError(f"{part} is a whole number, got {text!r}")
    return int(text)


def _conflict(p: Protocol) -> str | None:
    """Why two parts cannot stand together, or None."""
    if p.combine == "logit" and p.scoring != "masks":
        return "combine=logit needs scoring=masks: no other way of scoring keeps raw logits"
    if p.fill == "text" and p.scoring != "l2r":
        return "fill=text needs scoring=l2r: nothing else is filled in token by token"
    if p.best and (p.scoring != "sentence" or p.combine != "sum" or p.prior != "none"):
        return f"best={p.best} needs scoring=sentence, combine=sum and prior=none: only then does a sum bound the rest"
    return None


#: Published conventions by name (sources in docs/protocols.md). Adding one is a line.
_MASKS = Protocol(join="space")
_DECODED = Protocol(kind="decoded", scoring="decode", length="mean", combine="full", match="xfactr")
PRESETS = {
    "kassner2021": replace(_MASKS, skip="date"),
    "zhao2024-full": Protocol("vocabulary", join="space", length="oracle", combine="full", aggregate="micro"),
    "zhao2024-partial": Protocol("vocabulary", join="space", length="oracle", combine="partial", aggregate="micro"),
    "xfactr": replace(_DECODED, join="space", gold="any", unk="drop"),
    "mpararel": replace(_MASKS, combine="logit"),
    "bmlama": Protocol(scoring="l2r", join="zh", fill="text", aggregate="micro"),
    "geomlama": Protocol(scoring="l2r", prior="removed", gold="any", aggregate="micro"),
    "dlama": replace(_MASKS, gold="any"),
    "bear": Protocol(scoring="sentence", case="capital", combine="sum", aggregate="micro"),
}
