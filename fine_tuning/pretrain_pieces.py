"""A planted world cut into tokens, with the tokens of every name marked."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_builders.planted.articles import Sentence
from data_builders.planted.world import read_about, read_articles

#: What a token is part of: 0 is no name, then the subject and the object of a statement, and a filler's only name.
ROLES = {"X": 1, "Y": 2, "Z": 3}


class Piece(NamedTuple):
    """A sentence as token ids, without special tokens, the role of each token, whether it states a fact, and the place
    of its language among the world's."""

    ids: np.ndarray
    roles: np.ndarray
    states: bool
    lang: int


def read_pieces(world: Path, tokenizer) -> list[list[list[Piece]]]:
    """Every article of `world` as paragraphs of pieces."""
    languages = read_about(world)["languages"]
    articles = [article for lang in languages for article in read_articles(world, lang)]
    sentences = [s for article in articles for paragraph in article.paragraphs for s in paragraph]
    langs = [languages.index(a.lang) for a in articles for paragraph in a.paragraphs for _ in paragraph]
    coded = tokenizer([s.text for s in sentences], add_special_tokens=False, return_offsets_mapping=True)
    pieces = map(_piece, sentences, coded["input_ids"], coded["offset_mapping"], langs)
    return [[[next(pieces) for _ in paragraph] for paragraph in article.paragraphs] for article in articles]


def _piece(sentence: Sentence, ids: list[int], offsets: list[tuple[int, int]], lang: int) -> Piece:
    roles = np.zeros(len(ids), dtype=np.int8)
    for role, _, start, end in sentence.mentions:
        roles[[start <= first and last <= end for first, last in offsets]] = ROLES[role]
    return Piece(np.array(ids), roles, sentence.fact is not None, lang)
