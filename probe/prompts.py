"""From facts and templates to what is asked of a model: questions, and the candidates they choose among."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from data_builders.facts import OBJECT, Template
from data_builders.factset import OpenFactSet
from data_builders.filters import one_token

Tokenize = Callable[[list[str]], list[list[int]]]


class Question(NamedTuple):
    """One cloze sentence about one subject, whatever number of facts it asks for.

    ``prompt`` still holds ``[Y]``; it is None where the relation has no template. ``facts`` are the keys of the
    facts asked for and ``golds`` their objects' places among the candidates; ``known`` are the places of all objects
    that the set gives for this subject. ``given`` are the places to choose from, where the set gives them, or None.
    """

    template: int
    subject_uri: str
    subject: str
    prompt: str | None
    facts: tuple[str, ...]
    golds: tuple[int, ...]
    known: tuple[int, ...]
    given: tuple[int, ...] | None = None


@dataclass
class Relation:
    """The questions of a relation in one language, and its candidates: entities (URI, label, token ids)."""

    name: str
    uris: list[str]
    labels: list[str]
    tokens: list[list[int]]
    questions: list[Question] = field(default_factory=list)


def relations(data: OpenFactSet, lang: str, tokenize: Tokenize) -> Iterator[Relation]:
    """Every relation of a language in order of name. `tokenize` gives the token ids of labels, without specials."""
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
        for rows in _by_subject(fact_rows[name]).values():
            relation.questions += (
                Question(
                    number,
                    rows[0]["subject_uri"],
                    rows[0]["subject"],
                    prompt,
                    tuple(row["fact"] for row in rows),
                    tuple(place[row["object_uri"], row["object"]] for row in rows),
                    tuple(known[rows[0]["subject_uri"]]),
                    _given(rows[0], place),
                )
                for number, prompt in _prompts(rows[0], templates[name])
            )
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
    pairs = set()
    for row in rows:
        pairs.add((row["object_uri"], row["object"]))
        if row.get("candidates"):
            pairs.update(zip(row["candidates"], row["candidate_labels"], strict=True))
    uris, labels = zip(*sorted(pairs), strict=True)
    return Relation(name, list(uris), list(labels), tokenize(list(labels)))


def _prompts(row: dict, templates: list[Template]) -> list[tuple[int, str | None]]:
    if row.get("prompt") or not templates:
        return [(0, row.get("prompt"))]
    return [(number, template.fill(row["subject"], OBJECT)) for number, template in enumerate(templates)]


def _given(row: dict, place: dict[tuple[str, str], int]) -> tuple[int, ...] | None:
    if not row.get("candidates"):
        return None
    return tuple(place[pair] for pair in zip(row["candidates"], row["candidate_labels"], strict=True))
