"""The answers of many models to the same facts, side by side: a row a model, a column a question.

A P@1 is one of few values, so a cell is the place of its value in a table: 500 models on 106,000 questions are 106 MB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from data_builders.errors import FactrootsError
from probe.judging import hashes

#: What tells an answer of a submission from its others.
KEY = ["lang", "relation", "item", "template"]
#: What :func:`matrix` reads of a submission's answers.
COLUMNS = [*KEY, "subject_uri", "p1", "pieces"]


@dataclass(frozen=True)
class Matrix:
    """P@1 of models [rows] at `items` [columns], a frame of :data:`ITEM`, in order of language and relation.

    codes : [rows, items], places in `values`, of which the first is NaN: the model has no answer there.
    row : of each submission, its row; submissions whose answers are the same share one.
    """

    items: pd.DataFrame
    values: np.ndarray
    codes: np.ndarray
    row: np.ndarray

    def p1(self, items=slice(None)) -> np.ndarray:
        """P@1 [rows, items], NaN where there is none."""
        return self.values[self.codes[:, items]]

    def scored(self) -> np.ndarray:
        """Whether there is an answer [rows, items]."""
        return self.codes != 0

    def only(self, items: np.ndarray) -> Matrix:
        """The matrix of some items, given by a mask or by places in order."""
        return replace(self, items=self.items.iloc[items].reset_index(drop=True), codes=self.codes[:, items])

    def of(self, submissions: np.ndarray) -> Matrix:
        """The matrix of some submissions, by their places; items that none of them answered are not in it."""
        rows, row = np.unique(self.row[submissions], return_inverse=True)
        some = replace(self, codes=self.codes[rows], row=row)
        return some.only((some.codes != 0).any(axis=0))


#: The columns of a matrix's items; subjects are hashes of their names, and `key` one of :data:`KEY`.
ITEM = [*KEY, "subject_uri", "key"]


class _Own(NamedTuple):
    """One submission's answers in order of their keys."""

    keys: np.ndarray
    p1: np.ndarray

    def digest(self) -> bytes:
        return hashlib.blake2b(self.keys.tobytes() + self.p1.tobytes(), digest_size=16).digest()


def matrix(frames: Iterable[pd.DataFrame]) -> Matrix:
    """Line up the answers of submissions, frames of :data:`COLUMNS`, read one at a time.

    Rows stand in an order that the answers alone decide, so the same board gives the same numbers to the last bit,
    whatever its submissions are called and in whichever order they come. Raises FactrootsError for an answer that is
    there twice.
    """
    row_of: dict[bytes, int] = {}
    found, place, known = [], [], pd.DataFrame(columns=ITEM)
    last = np.empty(0, np.uint64)
    for frame in frames:
        keys = pd.util.hash_pandas_object(frame[KEY], index=False).to_numpy()
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        if np.array_equal(keys, last):
            keys = last  # one array for all submissions that were asked the same
        else:
            if (keys[1:] == keys[:-1]).any():
                raise FactrootsError("a submission answers an item twice; `probe leaderboard validate` says which")
            known, last = _learnt(known, frame.iloc[order], keys), keys
        own = _Own(keys, frame["p1"].to_numpy(float)[order])
        place.append(row_of.setdefault(own.digest(), len(found)))
        if place[-1] == len(found):
            found.append(own)
    known = known.sort_values(["lang", "relation", "key"], ignore_index=True)
    return _lined_up(known, found, np.array(place, int), list(row_of))


def _learnt(known: pd.DataFrame, frame: pd.DataFrame, keys: np.ndarray) -> pd.DataFrame:
    """`known` items and those of a frame that are not among them."""
    new = ~np.isin(keys, known["key"].to_numpy(np.uint64))
    if not new.any():
        return known
    own = frame[new]
    subjects = own["subject_uri"].astype("category").cat
    more = {
        **{name: own[name].to_numpy(object) for name in KEY},
        "subject_uri": hashes(pd.Series(subjects.categories.astype(object)))[subjects.codes],
        "key": keys[new],
    }
    return pd.concat([known, pd.DataFrame(more)], ignore_index=True) if len(known) else pd.DataFrame(more)


def _lined_up(items: pd.DataFrame, found: list[_Own], place: np.ndarray, digests: list[bytes]) -> Matrix:
    order = np.argsort(np.array(digests))
    where = np.empty(len(order), int)
    where[order] = np.arange(len(order))
    keys = items["key"].to_numpy(np.uint64)
    sorter = np.argsort(keys)
    table: dict[float, int] = {}
    codes = np.zeros((len(found), len(items)), np.uint16)
    last, columns = None, None
    for number, own in enumerate(found):
        if own.keys is not last:
            last, columns = own.keys, sorter[np.searchsorted(keys, own.keys, sorter=sorter)]
        values, inverse = np.unique(own.p1, return_inverse=True)
        places = np.array([table.setdefault(value, len(table) + 1) for value in values.tolist()])
        if len(table) > np.iinfo(codes.dtype).max:
            codes = codes.astype(np.uint32)
        codes[where[number], columns] = places[inverse]
    return Matrix(items, np.array([np.nan, *table]), codes, where[place])
