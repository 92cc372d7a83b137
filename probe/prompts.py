"""From facts and templates to what is asked of a model: questions, and the candidates they choose among."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from data_builders import choices
from data_builders.facts import OBJECT, Template
from data_builders.factset import OpenFactSet
from data_builders.filters import one_token

#: What stands between a shot and what follows it.
SEPARATOR = "\n"
Tokenize = Callable[[list[str]], list[list[int]]]


class Question(NamedTuple):
    """One cloze sentence about one subject, whatever number of facts it asks for.

    ``prompt`` still holds ``[Y]``; it is None where the relation has no template. ``facts`` are the keys of the
    facts asked for and ``golds`` their objects' places among the candidates; ``known`` are the places of all objects
    that the set gives for this subject. ``given`` are the places to choose from, where the set gives them, or None.
    ``bare`` is the prompt without its subject, where it has one: a question without facts asks it, for the prior.
    ``context`` holds the shots that stand before the prompt; a question about a shot's own fact is not ``scored``.
    """

    template: int
    subject_uri: str
    subject: str
    prompt: str | None
    facts: tuple[str, ...]
    golds: tuple[int, ...]
    known: tuple[int, ...]
    given: tuple[int, ...] | None = None
    bare: str | None = None
    context: str = ""
    scored: bool = True


@dataclass
class Relation:
    """The questions of a relation in one language, and its candidates: URIs, labels, token ids and other names."""

    name: str
    uris: list[str]
    labels: list[str]
    tokens: list[list[int]]
    aliases: list[list[str]]
    questions: list[Question] = field(default_factory=list)


def capital(text: str) -> str:
    """With a capital letter first."""
    return text[:1].upper() + text[1:]


def relations(
    data: OpenFactSet, lang: str, tokenize: Tokenize, shots: int = 0, case: str = "keep"
) -> Iterator[Relation]:
    """Every relation of a language in order of name. `tokenize` gives the token ids of labels, without specials.

    With ``case="capital"`` sentences begin with a capital letter; where a label is to begin one, that is the reader's
    to see to.
    """
    say = _filled if case == "keep" else _capitalised
    facts, whole = data.table(lang), data.whole(lang)
    if data.spec.one_token:
        whole = one_token(whole, data.pieces)
    templates = defaultdict(list)
    for template in data.templates(lang):
        templates[template.relation].append(template)
    whole_rows, fact_rows = _by_relation(whole), _by_relation(facts)
    for name in sorted(fact_rows):
        relation = _candidates(name, whole_rows[name], tokenize)
        place = {pair: i for i, pair in enumerate(zip(relation.uris, relation.labels, strict=True))}
        known = defaultdict(dict)
        for row in whole_rows[name]:
            known[row["subject_uri"]][place[row["object_uri"], row["object"]]] = None
        sampled = {row["object_uri"] for row in fact_rows[name]}
        ranking = choices.ranked(name, relation.uris, sampled) if data.spec.candidates else None
        solved = chosen(fact_rows[name], shots)
        for rows in _by_subject(fact_rows[name]).values():
            first = rows[0]
            own = tuple(known[first["subject_uri"]])
            for number, template in _templates(first, templates[name]):
                question = Question(
                    template=number,
                    subject_uri=first["subject_uri"],
                    subject=first["subject"],
                    prompt=template and say(template, first, OBJECT),
                    facts=tuple(row["fact"] for row in rows),
                    golds=tuple(place[row["object_uri"], row["object"]] for row in rows),
                    known=own,
                    given=_given(first, place, own, ranking, data.spec.candidates),
                    bare=template and say(template, first, OBJECT, without_subject=True),
                    context="".join(say(template, row, row["object"]) + SEPARATOR for row in solved if template),
                    scored=not any(row in solved for row in rows),
                )
                relation.questions.append(question)
        relation.questions += _priors(relation.questions)
        yield relation


def _by_relation(table: pa.Table) -> dict[str, list[dict]]:
    rows = defaultdict(list)
    for row in table.to_pylist():
        rows[row["relation"]].append(row)
    return rows


def _by_subject(rows: Sequence[dict]) -> dict[tuple, list[dict]]:
    """Rows that ask the same: one subject under one spelling (and one prompt and choice, where the set gives them)."""
    groups = defaultdict(list)
    for row in rows:
        choice = tuple(row.get("candidates") or ())
        groups[row["subject_uri"], row["subject"], row.get("prompt"), choice].append(row)
    return groups


def _candidates(name: str, rows: list[dict], tokenize: Tokenize) -> Relation:
    """All objects of the relation, in order of URI: an order of our own, so that none depends on a file's."""
    names = defaultdict(dict)  # of each entity: its other names, in order of appearance
    for row in rows:
        names[row["object_uri"], row["object"]].update(dict.fromkeys(row.get("aliases") or ()))
        for pair in zip(row.get("candidates") or (), row.get("candidate_labels") or (), strict=True):
            names[pair] |= {}
    pairs = sorted(names)
    uris, labels = zip(*pairs, strict=True)
    return Relation(name, list(uris), list(labels), tokenize(list(labels)), [list(names[pair]) for pair in pairs])


def _templates(row: dict, templates: list[Template]) -> list[tuple[int, Template | str | None]]:
    """The templates to ask a row by, with their numbers: its own prompt, where it brings one, or the relation's."""
    if row.get("prompt") or not templates:
        return [(0, row.get("prompt"))]
    return list(enumerate(templates))


def _filled(template: Template | str, row: dict, answer: str, without_subject: bool = False) -> str | None:
    """A row's sentence with `answer` in its slot; None where the subject is to be left out and is not to be found."""
    if isinstance(template, Template):
        sentence = template.fill("" if without_subject else row["subject"], answer)
    elif without_subject and row["subject"] not in template:
        return None
    else:
        own = row["prompt"].replace(row["subject"], "") if without_subject else row["prompt"]
        sentence = own.replace(OBJECT, answer)
    return " ".join(sentence.split()) if without_subject else sentence


def _capitalised(template: Template | str, row: dict, answer: str, without_subject: bool = False) -> str | None:
    text = _filled(template, row, answer, without_subject)
    return text and capital(text)


def chosen(rows: Sequence[dict], shots: int) -> list[dict]:
    """The facts that are shown solved: the first `shots` by a hash of their keys, of as many subjects and objects.

    Languages that have the same facts are shown the same.
    """
    found: list[dict] = []
    if not shots:
        return found
    for row in sorted(rows, key=lambda row: hashlib.sha256(f"shot|{row['fact']}".encode()).digest()):
        if all(row[end] != other[end] for other in found for end in ("subject_uri", "object_uri")):
            found.append(row)
        if len(found) == shots:
            break
    return found


def _priors(questions: Sequence[Question]) -> list[Question]:
    """The distinct prompts without a subject, each a question that asks for no fact, over all that is chosen among."""
    asked = defaultdict(list)
    for q in questions:
        if q.bare is not None:
            asked[q.template, q.bare, q.context].append(q.given)
    return [
        Question(template, "", "", bare, (), (), (), _union(given), bare, context)
        for (template, bare, context), given in asked.items()
    ]


def _union(given: Sequence[tuple[int, ...] | None]) -> tuple[int, ...] | None:
    """All places of some choices; None, which is every place, where one of them is that."""
    return None if None in given else tuple(sorted(set().union(*given)))


def _given(
    row: dict, place: dict, own: Collection[int], ranking: list[int] | None, most: int
) -> tuple[int, ...] | None:
    """The places that a row chooses among: what the set gives, what is left of all by hash, or None for all."""
    if row.get("candidates"):
        return tuple(place[pair] for pair in zip(row["candidates"], row["candidate_labels"], strict=True))
    return None if ranking is None else choices.choice(ranking, own, most)
