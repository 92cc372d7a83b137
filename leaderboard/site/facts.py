"""Every answer of every submission, in files that a page reads when somebody looks: facts once, answers a submission.

An answer is two characters: right or wrong, and the rank of the right object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

#: What one row of a language's facts is known by.
KEY = ["relation", "item", "template"]
_RANKS = np.array(list("-123456789abcdefghijklmnopqrstuvwxyz"))  # the place of each; z is 35 or more


class Facts(NamedTuple):
    """The facts of a table that anybody answered, by language: frames with the columns of :data:`KEY`, in order."""

    langs: Mapping[str, pd.MultiIndex]


def facts(frames: Iterable[pd.DataFrame], langs: Sequence[str]) -> Facts:
    """The union of what was answered, from frames with columns lang and :data:`KEY`."""
    found: dict[str, pd.MultiIndex] = {}
    for frame in frames:
        for lang, rows in _languages(frame):
            own = pd.MultiIndex.from_frame(rows[KEY])
            found[lang] = own if lang not in found else found[lang].union(own, sort=False)
    return Facts({lang: found[lang].sort_values() for lang in langs if lang in found})


def asked(index: pd.MultiIndex, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """A language's facts as columns. `names` are a fact's subject and object there, where they are known."""
    relations = sorted(set(index.get_level_values("relation")))
    items = index.get_level_values("item").tolist()
    return {
        "relations": relations,
        "relation": np.searchsorted(relations, index.get_level_values("relation")).tolist(),
        "item": items,
        "template": index.get_level_values("template").tolist(),
        "names": [names.get(item, ("", "")) for item in items] if any(item in names for item in items) else None,
    }


def answers(frame: pd.DataFrame, known: Facts) -> dict[str, dict[str, str]]:
    """By language ``right`` and ``rank``, a character for each of the language's facts: "-" where there is no answer.

    An answer tied with others is right from 0.5 on; ranks are base 36, the last of them 35 or more.
    """
    found = {}
    for lang, rows in _languages(frame):
        places = known.langs[lang].get_indexer(pd.MultiIndex.from_frame(rows[KEY]))
        right, rank = (np.full(len(known.langs[lang]), "-") for _ in range(2))
        right[places] = np.where(rows["p1"].to_numpy(float) >= 0.5, "1", "0")
        ranks = 1 / rows["rr"].to_numpy(float)
        rank[places] = _RANKS[np.where(np.isnan(ranks), 0, np.clip(np.round(np.nan_to_num(ranks)), 1, 35)).astype(int)]
        found[lang] = {"right": "".join(right), "rank": "".join(rank)}
    return found


def _languages(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    plain = frame.astype({"lang": str, "relation": str, "item": str})
    yield from plain.groupby("lang", sort=False)
