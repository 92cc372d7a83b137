"""The answers of many models to the same facts, side by side: a row a model, a column a question.

A P@1 is one of few values, so a cell is the place of its value in a table: 500 models on 106,000 questions are 53 MB.
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
    """One submission's answers in order of their keys: places in the table of values."""

    keys: np.ndarray
    codes: np.ndarray


def matrix(frames: Iterable[pd.DataFrame]) -> Matrix:
    """Line up the answers of submissions, frames of :data:`COLUMNS`, read one at a time.

    Rows stand in an order that the answers alone decide, so the same board gives the same numbers to the last bit,
    whatever its submissions are called and in whichever order they come. Raises FactrootsError for an answer that is
    there twice.
    """
    row_of: dict[bytes, int] = {}
    table: dict[float, int] = {}
    found, place, known = [], [], pd.DataFrame(columns=ITEM)
    last = np.empty(0, np.uint64)
    for frame in frames:
        keys = pd.util.hash_pandas_object(frame[KEY], index=False).to_numpy()
        order = np.argsort(keys, kind="stable")
        keys, p1 = keys[order], frame["p1"].to_numpy(float)[order]
        if np.array_equal(keys, last):
            keys = last  # one array for all submissions that were asked the same
        else:
            if (keys[1:] == keys[:-1]).any():
                raise FactrootsError("a submission answers an item twice; `probe leaderboard validate` says which")
            known, last = _learnt(known, frame.iloc[order], keys), keys
        digest = hashlib.blake2b(keys.tobytes() + p1.tobytes(), digest_size=16).digest()
        place.append(row_of.setdefault(digest, len(found)))
        if place[-1] == len(found):
            found.append(_Own(keys, _coded(p1, table)))
    known = known.sort_values(["lang", "relation", "key"], ignore_index=True)
    where = np.argsort(np.argsort(np.array(list(row_of))))
    codes = _lined_up(known["key"].to_numpy(np.uint64), found, where, np.min_scalar_type(len(table)))
    return Matrix(known, np.array([np.nan, *table]), codes, where[place])


def _coded(p1: np.ndarray, table: dict[float, int]) -> np.ndarray:
    """The places of values in a table, which learns those that it does not have."""
    values, inverse = np.unique(p1, return_inverse=True)
    places = np.array([table.setdefault(value, len(table) + 1) for value in values.tolist()])
    return places.astype(np.min_scalar_type(len(table)))[inverse]


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


def _lined_up(keys: np.ndarray, found: list[_Own], where: np.ndarray, kind: np.dtype) -> np.ndarray:
    """The codes of all [rows, items], each submission's in the row that `where` says."""
    sorter = np.argsort(keys)
    codes = np.zeros((len(found), len(keys)), kind)
    last, columns = None, None
    for row, own in zip(where, found, strict=True):
        if own.keys is not last:
            last, columns = own.keys, sorter[np.searchsorted(keys, own.keys, sorter=sorter)]
        codes[row, columns] = own.codes
    return codes
