"""What the world can say in one language: the facts, the names of things and the sentence forms around them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from data_builders.errors import FactrootsError, Problems
from data_builders.facts import Fact
from data_builders.sources import Source

#: What kind of thing stands on either side of a relation; fillers are written for a kind.
KINDS = {
    "P36": ("country", "city"),
    "P1376": ("city", "country"),
    "P30": ("country", "region"),
    "P361": ("country", "region"),
    "P37": ("country", "language"),
    "P38": ("country", "currency"),
    "P17": ("city", "country"),
    "P282": ("language", "script"),
}

_HERE = Path(__file__).parent


class Form(NamedTuple):
    """One sentence frame: ``[X]`` and ``[Y]`` for a statement, ``[Z]`` for a filler."""

    id: str
    text: str


@dataclass(frozen=True)
class Lexicon:
    """One language: its facts, ``labels`` and ``kinds`` by URI, ``forms`` by relation and ``fillers`` by kind."""

    lang: str
    facts: tuple[Fact, ...]
    labels: dict[str, str]
    kinds: dict[str, str]
    forms: dict[str, tuple[Form, ...]]
    fillers: dict[str, tuple[Form, ...]]


@cache
def _rows(name: str) -> tuple[dict, ...]:
    """The rows of a data file beside this module."""
    return tuple(json.loads(line) for line in (_HERE / name).read_text(encoding="utf-8").splitlines())


def languages() -> list[str]:
    """The languages for which sentence forms are written, sorted."""
    return sorted({row["lang"] for row in _rows("forms.jsonl")})


def read_lexicon(source: Source, lang: str) -> Lexicon:
    """Everything the world may say in `lang`.

    The source's own templates come first among a relation's forms, so that a model has met the frames it will be
    probed with. Raises FactrootsError if no forms are written for the language.
    """
    if lang not in languages():
        raise FactrootsError(
            f"the planted world has no sentence forms in {lang!r}; there are: {', '.join(languages())}"
        )
    problems = Problems()
    rows = source.facts(lang, problems).to_pylist()
    templates = source.templates(lang, problems)
    problems.settle(skip_bad=False)
    facts = tuple(
        sorted(Fact(**{name: row[name] for name in Fact._fields}) for row in rows if row["relation"] in KINDS)
    )
    labels, kinds = {}, {}
    for relation, sides in KINDS.items():
        for fact in (f for f in facts if f.relation == relation):
            for uri, label, kind in zip(fact[2:4], fact[4:6], sides, strict=True):
                labels.setdefault(uri, label)
                kinds.setdefault(uri, kind)
    return Lexicon(lang, facts, labels, kinds, _forms(lang, templates), _fillers(lang))


def _forms(lang: str, templates) -> dict[str, tuple[Form, ...]]:
    """A relation's forms: the source's templates, then the written ones that say it in other words."""
    forms = {relation: {} for relation in KINDS}
    for template in templates:
        if template.relation in forms:
            known = forms[template.relation]
            known.setdefault(template.text, f"{lang}-{template.relation}-template{len(known) + 1}")
    for row in _rows("forms.jsonl"):
        if row["lang"] == lang:
            forms[row["relation"]].setdefault(row["text"], row["id"])
    return {relation: tuple(Form(id, text) for text, id in known.items()) for relation, known in forms.items()}


def _fillers(lang: str) -> dict[str, tuple[Form, ...]]:
    kinds = {kind for sides in KINDS.values() for kind in sides}
    rows = [row for row in _rows("fillers.jsonl") if row["lang"] == lang]
    return {kind: tuple(Form(row["id"], row["text"]) for row in rows if row["kind"] == kind) for kind in sorted(kinds)}
