"""The text: one article for every thing that facts are told about, made of statements, fillers and decoys."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from random import Random
from typing import NamedTuple

from data_builders.facts import Fact
from data_builders.planted.lexicon import Form, Lexicon

#: How many sentences, each in another form, state a stated fact: drawn evenly from this range.
SENTENCES = (2, 4)
#: How likely an unstated fact is to leave a decoy: its object, in a sentence of its own, in its subject's article.
DECOY = 0.05
#: How likely a paragraph is to hold a sentence on its subject that tells no fact.
SUBJECT_FILLER = 0.5

_SLOT = re.compile(r"\[([XYZ])\]")


class Sentence(NamedTuple):
    """A sentence, the form it was made with, the fact it states (None for a filler) and what it mentions.

    ``mentions`` are ``(role, uri, start, end)`` with role ``X``, ``Y`` or ``Z`` and character offsets.
    """

    text: str
    form: str
    fact: str | None
    mentions: tuple[tuple[str, str, int, int], ...]


class Article(NamedTuple):
    """One article of one language; ``uri`` is the thing that its title names."""

    id: str
    lang: str
    title: str
    uri: str
    paragraphs: tuple[tuple[Sentence, ...], ...]


def fill(form: Form, things: dict[str, tuple[str, str]], fact: str | None = None) -> Sentence:
    """The sentence of `form` with its slots filled from `things`: role to (URI, label)."""
    text, mentions, done = "", [], 0
    for slot in _SLOT.finditer(form.text):
        uri, label = things[slot[1]]
        text += form.text[done : slot.start()]
        mentions.append((slot[1], uri, len(text), len(text) + len(label)))
        text, done = text + label, slot.end()
    return Sentence(text + form.text[done:], form.id, fact, tuple(mentions))


def compose(lexicon: Lexicon, stated: set[str], seed: int) -> list[Article]:
    """All articles of one language, in the order of their URIs."""
    told = defaultdict(list)
    for fact in lexicon.facts:
        told[fact.subject_uri].append(fact)
    related = _related(lexicon)
    others = deque(sorted(uri for uri in lexicon.labels if uri not in told))
    Random(f"{seed}|others|{lexicon.lang}").shuffle(others)
    articles = []
    for number, uri in enumerate(sorted(told)):
        random = Random(f"{seed}|article|{lexicon.lang}|{uri}")
        paragraphs = _paragraphs(lexicon, told[uri], stated, random)
        paragraphs[-1].append(_about(lexicon, _unrelated(others, related[uri] | {uri}), random))
        for fact in told[uri]:
            if fact.fact not in stated and random.random() < DECOY:
                random.choice(paragraphs).append(_about(lexicon, fact.object_uri, random))
        texts = tuple(tuple(paragraph) for paragraph in paragraphs)
        articles.append(Article(f"{lexicon.lang}-{number:04d}", lexicon.lang, lexicon.labels[uri], uri, texts))
    return articles


def _related(lexicon: Lexicon) -> dict[str, set[str]]:
    """Everything that a thing is paired with by some fact of this language."""
    related = defaultdict(set)
    for fact in lexicon.facts:
        related[fact.subject_uri].add(fact.object_uri)
        related[fact.object_uri].add(fact.subject_uri)
    return related


def _paragraphs(lexicon: Lexicon, facts: list[Fact], stated: set[str], random: Random) -> list[list[Sentence]]:
    """The paragraphs of one article: each states a fact at most once, so no sentence gives another's answer away."""
    rounds = defaultdict(list)
    for fact in facts:
        if fact.fact in stated:
            forms = lexicon.forms[fact.relation]
            things = {"X": (fact.subject_uri, fact.subject), "Y": (fact.object_uri, fact.object)}
            for turn, form in enumerate(random.sample(forms, min(random.randint(*SENTENCES), len(forms)))):
                rounds[turn].append(fill(form, things, fact.fact))
    paragraphs = [random.sample(rounds[turn], len(rounds[turn])) for turn in sorted(rounds)]
    for paragraph in paragraphs:
        if random.random() < SUBJECT_FILLER:
            paragraph.insert(random.randrange(len(paragraph) + 1), _about(lexicon, facts[0].subject_uri, random))
    # A thing of which nothing is told still has a name in this language, and its readers should have met it.
    return paragraphs or [[_about(lexicon, facts[0].subject_uri, random)]]


def _about(lexicon: Lexicon, uri: str, random: Random) -> Sentence:
    """A filler: a sentence that mentions `uri` alone."""
    return fill(random.choice(lexicon.fillers[lexicon.kinds[uri]]), {"Z": (uri, lexicon.labels[uri])})


def _unrelated(others: deque[str], barred: set[str]) -> str:
    """The next in a round of all things without an article of their own; none that a fact pairs with this article's."""
    turns = 0
    while others[0] in barred and turns < len(others):
        others.rotate(-1)
        turns += 1
    uri = others[0]
    others.rotate(-1)
    return uri
