"""Which fact is stated in which language: drawn from a seed, before a single sentence is written."""

from __future__ import annotations

from random import Random

from data_builders.facts import Fact
from data_builders.planted.lexicon import Lexicon

#: How likely a pair of subject and object is to be stated at all. English is rich, Afrikaans is poor.
PROBABILITIES = {"en": 0.95, "de": 0.7, "es": 0.7, "fr": 0.7, "it": 0.7, "nl": 0.7, "ja": 0.6, "af": 0.35}


def draw_key(fact: Fact) -> str:
    """What shares one draw with `fact`.

    "The capital of France is Paris" also says what "Paris is a city in France" says, so a pair of names is drawn
    once for all relations and both directions. Continent and sub-region of a country go together for the same
    reason: "Western Europe" holds the word "Europe".
    """
    if fact.relation in ("P30", "P361"):
        return f"region|{fact.subject_uri}"
    return "|".join(sorted((fact.subject.casefold(), fact.object.casefold())))


def draw(lexicons: dict[str, Lexicon], seed: int, withheld: float = 0.0) -> dict[str, set[str]]:
    """The keys of the facts that each language states.

    Every draw has a generator of its own, named by seed, language and pair, so that a change in one language
    leaves the others as they were. A fact that no language drew is given to the likeliest language that has it.
    The share `withheld` of the pairs of things is stated nowhere, and nothing else changes: what a model answers
    rightly of these facts, it has guessed.
    """
    chosen = {lang: {key for key in _keys(lexicon) if _is_drawn(seed, lang, key)} for lang, lexicon in lexicons.items()}
    for lang in sorted(lexicons, key=lambda code: (-PROBABILITIES[code], code)):
        said = {fact.fact for code in lexicons for fact in _said(lexicons[code], chosen[code])}
        chosen[lang] |= {draw_key(fact) for fact in lexicons[lang].facts if fact.fact not in said}
    if withheld:
        for lang, lexicon in lexicons.items():
            chosen[lang] -= {draw_key(fact) for fact in lexicon.facts if _is_withheld(seed, fact, withheld)}
    return {lang: {fact.fact for fact in _said(lexicon, chosen[lang])} for lang, lexicon in lexicons.items()}


def _keys(lexicon: Lexicon) -> set[str]:
    return {draw_key(fact) for fact in lexicon.facts}


def _is_drawn(seed: int, lang: str, key: str) -> bool:
    return Random(f"{seed}|stated|{lang}|{key}").random() < PROBABILITIES[lang]


def _is_withheld(seed: int, fact: Fact, share: float) -> bool:
    """Whether the pair of things is withheld; in each language, all that shares a draw with it by name goes with it."""
    ends = (fact.subject_uri,) if fact.relation in ("P30", "P361") else sorted((fact.subject_uri, fact.object_uri))
    return Random(f"{seed}|withheld|{'|'.join(ends)}").random() < share


def _said(lexicon: Lexicon, keys: set[str]) -> list[Fact]:
    return [fact for fact in lexicon.facts if draw_key(fact) in keys]
