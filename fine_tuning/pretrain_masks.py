"""What the demo model is asked: which tokens of a sentence are hidden, and what should stand there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fine_tuning.pretrain_pieces import ROLES, Piece

#: What is hidden in a sentence that states a fact: its whole object, its whole subject, or tokens at random (the
#: rest). An object is scored with all of its pieces hidden, so that is what is practised most.
HIDE_OBJECT, HIDE_SUBJECT = 0.55, 0.12
#: How often the object's place gets a number of masks that does not fit the object, to be answered with words drawn
#: from anywhere. Candidates of all lengths compete for a place: without this the model is never asked for a length
#: that is wrong, and is as sure of the best misfit as of the right answer.
MISFIT = 0.12
#: The share of tokens hidden at random.
HIDE_RANDOM = 0.25


class Stock(NamedTuple):
    """What misfits are drawn from: every token of the world, and the length of every object."""

    words: np.ndarray
    lengths: np.ndarray


def stock_of(pieces: list[Piece]) -> Stock:
    """The stock of a world's sentences."""
    lengths = np.array([(piece.roles == ROLES["Y"]).sum() for piece in pieces if piece.states])
    return Stock(np.concatenate([piece.ids for piece in pieces]), lengths)


def ask(piece: Piece, mask: int, stock: Stock, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One sentence with masks in place, and the answers: the hidden token, or -1 where nothing is hidden."""
    turn = random.random() if piece.states else 1.0
    if turn < MISFIT:
        return _misfit(piece, mask, stock, random)
    if turn < MISFIT + HIDE_OBJECT:
        hidden = piece.roles == ROLES["Y"]
    elif turn < MISFIT + HIDE_OBJECT + HIDE_SUBJECT:
        hidden = piece.roles == ROLES["X"]
    else:
        hidden = random.random(len(piece.ids)) < HIDE_RANDOM
        hidden[random.integers(len(hidden))] = True
    return np.where(hidden, mask, piece.ids), np.where(hidden, piece.ids, -1)


def _misfit(piece: Piece, mask: int, stock: Stock, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sentence whose object is replaced by as many masks as some object of another length would need."""
    places = np.flatnonzero(piece.roles == ROLES["Y"])
    length = len(places)
    while length == len(places):
        length = random.choice(stock.lengths)
    before, after = piece.ids[: places[0]], piece.ids[places[-1] + 1 :]
    ids = np.concatenate([before, np.full(length, mask), after])
    answers = np.full(len(ids), -1)
    answers[len(before) : len(before) + length] = random.choice(stock.words, length)
    return ids, answers
