"""The Protocol value: everything that decides what a P@1 means, spelled in one canonical text.

>>> Protocol.parse("typed(combine=mean,aggregate=macro,skip=date)")
Protocol.parse('kassner2021')
>>> str(Protocol.parse("kassner2021(combine=sum)"))
'typed(combine=sum,skip=date)'
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from data_builders.errors import FactrootsError, unknown
from data_builders.spec import Spec

#: Every part of a protocol and the values it takes; the first is the default.
PARTS = {
    "kind": ("typed", "vocabulary"),
    "length": ("own", "oracle"),
    "combine": ("mean", "sum", "full", "partial"),
    "identity": ("uri", "label"),
    "ties": ("expected", "optimistic", "pessimistic"),
    "unk": ("keep", "drop"),
    "aggregate": ("macro", "micro"),
}
#: What a kind allows, where it is less than everything; the first is the kind's default.
ALLOWED = {
    "typed": {"length": ("own",), "combine": ("mean", "sum")},
    "vocabulary": {"length": ("oracle",), "combine": ("full", "partial"), "aggregate": ("micro", "macro")},
}


@dataclass(frozen=True)
class Protocol:
    """What a number means.

    kind
        ``typed``: the model chooses among candidates (the relation's objects, or those that the set gives).
        ``vocabulary``: at each mask it chooses among all tokens, positions independent.
    length
        ``own``: a candidate is scored with as many masks as it has tokens. ``oracle``: right if any number of masks
        from 1 to the relation's longest object gives the answer.
    combine
        ``mean`` or ``sum`` of the tokens' log-probabilities; or, for the vocabulary, whether the tokens chosen are
        exactly the object's (``full``) or hold all of them in any order (``partial``).
    identity
        ``uri``: candidates are entities, and entities of one spelling tie. ``label``: they are one candidate.
    ties
        ``expected``: the value expected when ties are broken at random; ``optimistic`` and ``pessimistic`` break
        them for or against the right answer. The order of candidates never matters.
    unk
        ``keep`` scores an object that the tokenizer cannot spell by its unknown token; ``drop`` leaves it out.
    aggregate
        ``micro``: over facts. ``macro``: over the facts of a relation, then over relations, then over languages.
    skip
        Relations with this in their name are left out.
    """

    kind: str = "typed"
    length: str = "own"
    combine: str = "mean"
    identity: str = "uri"
    ties: str = "expected"
    unk: str = "keep"
    aggregate: str = "macro"
    skip: str = ""

    def __post_init__(self):
        for part, values in (PARTS | ALLOWED.get(self.kind, {})).items():
            if getattr(self, part) not in values:
                raise FactrootsError(f"{unknown(part, getattr(self, part), values)} in a {self.kind} protocol")

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
            values[key] = value[0]
        return cls(**values)

    def __str__(self) -> str:
        for name, preset in PRESETS.items():
            if preset == self:
                return name
        plain = _defaults(self.kind)
        args = [(key, (value,)) for key, value in asdict(self).items() if value != plain[key]]
        return str(Spec(self.kind, None, tuple(args)))

    def __repr__(self) -> str:
        return f"Protocol.parse({str(self)!r})"


def _defaults(kind: str) -> dict[str, str]:
    allowed = PARTS | ALLOWED[kind] | {"kind": (kind,), "skip": ("",)}
    return {field.name: allowed[field.name][0] for field in fields(Protocol)}


#: Published conventions by name (sources in docs/protocols.md). Adding one is a line.
PRESETS = {
    "kassner2021": Protocol(skip="date"),
    "zhao2024-full": Protocol(kind="vocabulary", length="oracle", combine="full", aggregate="micro"),
    "zhao2024-partial": Protocol(kind="vocabulary", length="oracle", combine="partial", aggregate="micro"),
}
