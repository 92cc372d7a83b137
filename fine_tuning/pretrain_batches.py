"""The demo model's training data: sentences and paragraphs of a planted world, masked and padded to batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fine_tuning.pretrain_masks import Stock, ask, stock_of
from fine_tuning.pretrain_pieces import Piece
from fine_tuning.pretrain_tokenizer import LONGEST

#: The share of articles read paragraph by paragraph in an epoch; the others are read sentence by sentence.
AS_PARAGRAPHS = 0.2
#: Tokens in a batch, padding included.
BATCH = 1536


class Batch(NamedTuple):
    """Token ids with masks in place, the attention mask, where something is hidden, its answers in one row, and the
    language of each text."""

    ids: np.ndarray
    attention: np.ndarray
    hidden: np.ndarray
    answers: np.ndarray
    langs: np.ndarray


def batches(articles: list[list[list[Piece]]], tokenizer, seed: int) -> Iterator[Batch]:
    """Batches without end: every epoch reads the whole world in a new order, under new masks."""
    random = np.random.default_rng(seed)
    stock = stock_of([piece for article in articles for paragraph in article for piece in paragraph])
    while True:
        texts = []
        for article in articles:
            whole = random.random() < AS_PARAGRAPHS
            texts += article if whole else [[piece] for paragraph in article for piece in paragraph]
        # Texts of like length share a batch, else most of it would be padding; a little noise varies the company.
        order = np.argsort([sum(len(p.ids) for p in text) + random.random() for text in texts])
        groups = list(_groups([texts[i] for i in order]))
        for number in random.permutation(len(groups)):
            yield _batch(groups[number], tokenizer, stock, random)


def _groups(texts: list[list[Piece]]) -> Iterator[list[list[Piece]]]:
    """Neighbours in `texts`, sorted by length, as many as a batch holds."""
    group, longest = [], 0
    for text in texts:
        length = min(LONGEST, 2 + sum(len(piece.ids) for piece in text))
        if group and max(longest, length) * (len(group) + 1) > BATCH:
            yield group
            group, longest = [], 0
        group.append(text)
        longest = max(longest, length)
    yield group


def _batch(texts: list[list[Piece]], tokenizer, stock: Stock, random: np.random.Generator) -> Batch:
    asked = [[ask(piece, tokenizer.mask_token_id, stock, random) for piece in text] for text in texts]
    rows = [[np.concatenate(part)[: LONGEST - 2] for part in zip(*text, strict=True)] for text in asked]
    shape = len(texts), 2 + max(len(ids) for ids, _ in rows)
    ids, answers = np.full(shape, tokenizer.pad_token_id), np.full(shape, -1)
    for row, (words, wanted) in enumerate(rows):
        ids[row, : len(words) + 2] = [tokenizer.cls_token_id, *words, tokenizer.sep_token_id]
        answers[row, 1 : len(words) + 1] = wanted
    hidden = answers >= 0
    langs = np.array([text[0].lang for text in texts])
    return Batch(ids, ids != tokenizer.pad_token_id, hidden, answers[hidden], langs)
