"""Every answer of every submission, in files that a page reads when somebody looks: facts once, answers a submission.

An answer is two characters: right or wrong, and the rank of the right object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from probe.judging import hashes

_KEY = ["lang", "relation", "item", "template"]
#: What is read of a submission's answers.
COLUMNS = [*_KEY, "p1", "rr"]
_RANKS = np.array(list("-123456789abcdefghijklmnopqrstuvwxyz"))  # the place of each; z is 35 or more


class Facts(NamedTuple):
    """What was asked: columns lang, relation, item and template in that order, and 64-bit hashes that tell rows apart.

    ends : of each language, where its rows end; they follow each other.
    """

    frame: pd.DataFrame
    keys: np.ndarray
    ends: Mapping[str, int]


def facts(frames: Iterable[pd.DataFrame], langs: Sequence[str]) -> Facts:
    """The facts that anybody answered, languages in order; frames have columns lang, relation, item and template."""
    parts, held = [], np.array([], np.uint64)
    for frame in frames:
        keys = _keys(frame)
        new = ~np.isin(keys, held)
        if new.any():
            parts.append(frame.loc[new, _KEY].astype({"lang": object, "relation": object, "item": object}))
            held = np.concatenate([held, keys[new]])
    whole = pd.concat(parts, ignore_index=True)
    whole["lang"] = pd.Categorical(whole["lang"], [lang for lang in langs if lang in set(whole["lang"])])
    order = whole.sort_values(_KEY, kind="stable").index
    whole = whole.loc[order].reset_index(drop=True)
    ends = np.cumsum(whole["lang"].value_counts(sort=False).to_numpy())
    return Facts(whole, held[order], dict(zip(whole["lang"].cat.categories, ends.tolist(), strict=True)))


def asked(known: Facts, lang: str, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """A language's facts as columns. `names` are a fact's subject and object there, where they are known."""
    rows = known.frame[known.frame["lang"] == lang]
    relations, relation = np.unique(rows["relation"].to_numpy(str), return_inverse=True)
    return {
        "relations": relations.tolist(),
        "relation": relation.tolist(),
        "item": rows["item"].tolist(),
        "template": rows["template"].tolist(),
        "names": [names.get(item, ("", "")) for item in rows["item"]]
        if rows["item"].isin(names.keys()).any()
        else None,
    }


def answers(frame: pd.DataFrame, known: Facts) -> dict[str, dict[str, str]]:
    """By language ``right`` and ``rank``, a character for each of the language's facts: "-" where there is no answer.

    An answer tied with others is right from 0.5 on; ranks are base 36, the last of them 35 or more.
    """
    order = np.argsort(known.keys)
    places = order[np.searchsorted(known.keys, _keys(frame), sorter=order)]
    ranks = 1 / frame["rr"].to_numpy(float)
    rank = np.where(np.isnan(ranks), 0, np.clip(np.round(np.nan_to_num(ranks)), 1, 35)).astype(int)
    told = {"right": np.where(frame["p1"].to_numpy(float) >= 0.5, "1", "0"), "rank": _RANKS[rank]}
    spelled = {name: _spelled(values, places, len(order)) for name, values in told.items()}
    starts = [0, *known.ends.values()]
    return {
        lang: {name: text[start:end] for name, text in spelled.items()}
        for start, (lang, end) in zip(starts, known.ends.items(), strict=False)
        if spelled["right"][start:end].strip("-")
    }


def _spelled(values: np.ndarray, places: np.ndarray, length: int) -> str:
    letters = np.full(length, "-")
    letters[places] = values
    return "".join(letters.tolist())


def _keys(frame: pd.DataFrame) -> np.ndarray:
    """A hash of each row's language, relation, item and template; a name is hashed once, however many rows have it."""
    keys = frame["template"].to_numpy(np.uint64)
    for name in _KEY[:3]:
        own = frame[name].astype("category").cat
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + hashes(pd.Series(own.categories.astype(object)))[own.codes]
    return keys
