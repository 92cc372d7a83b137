"""A fact by what a user calls it: its key, the beginning of it, or its relation and labels."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.sources import open_source

_MANY = 20_000  # candidates that are compared letter by letter
_SHOWN = 3
_HOW = "name its key, or relation|subject|object"


class Called(NamedTuple):
    """A fact's key, and of each language that has it all facts with the row of this one."""

    key: str
    facts: dict[str, tuple[pa.Table, int]]


def in_languages(text: str, factset: str, langs: Sequence[str], skip_bad: bool) -> Called:
    """The fact that `text` calls, by its labels in `langs` or in English.

    Raises FactrootsError, with the nearest facts, when none is called so or no language asked for has it.
    """
    spec = FactSet.parse(factset)
    known = open_source(spec.source, spec.path).languages()
    data = spec.open(dict.fromkeys([*langs, *(["en"] if "en" in known else [])]), skip_bad=skip_bad)
    table = cache(data.table)  # the filters take their time
    key = next(filter(None, (find(text, table(lang)) for lang in data.langs)), None)
    if key is None:
        near = next(filter(None, (nearest(text, table(lang)) for lang in data.langs)), "")
        raise FactrootsError(f"{factset} has no fact {text!r}; {f'the nearest: {near}' if near else _HOW}")
    rows = {lang: pc.index(table(lang)["fact"], key).as_py() for lang in langs}
    if max(rows.values()) < 0:
        raise FactrootsError(f"{factset} does not have {key} in {', '.join(langs)}")
    return Called(key, {lang: (table(lang), row) for lang, row in rows.items() if row >= 0})


def find(text: str, facts: pa.Table) -> str | None:
    """The key of the fact that `text` calls, or None when there is none.

    `text` is the key, ``relation|subject label|object label``, or a beginning of either that no other fact has.
    Raises FactrootsError when several have it.
    """
    if pc.any(pc.equal(facts["fact"], text)).as_py():
        return text
    for spelled in (_labels(facts), facts["fact"]):
        keys = facts["fact"].filter(pc.equal(spelled, text)).to_pylist()
        if not keys:
            keys = facts["fact"].filter(pc.starts_with(spelled, text)).to_pylist()
        if len(keys) == 1:
            return keys[0]
        if keys:
            raise FactrootsError(f"{text!r} is the beginning of {len(keys):,} facts: {_listed(facts, keys)}; say more")
    return None


def nearest(text: str, facts: pa.Table) -> str:
    """The facts whose keys or labels are most like `text`, to be shown; empty when none is."""
    relation, _, rest = text.partition("|")
    labels, keys = _labels(facts).to_pylist(), facts["fact"].to_pylist()
    subjects, objects = facts["subject"].to_pylist(), facts["object"].to_pylist()
    said = text.casefold()
    close = [i for i in range(len(keys)) if rest and (subjects[i].casefold() in said or objects[i].casefold() in said)]
    close = close or [i for i in range(len(keys)) if rest and labels[i].startswith(f"{relation}|")] or range(len(keys))
    spelled = {form: keys[i] for i in list(close)[:_MANY] for form in (labels[i], keys[i])}
    found = dict.fromkeys(spelled[form] for form in get_close_matches(text, spelled, n=_SHOWN, cutoff=0.5))
    return _listed(facts, list(found))


def _labels(facts: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(facts["relation"], facts["subject"], facts["object"], "|")


def _listed(facts: pa.Table, keys: list[str]) -> str:
    rows = dict(zip(facts["fact"].to_pylist(), _labels(facts).to_pylist(), strict=True))
    more = ", …" if len(keys) > _SHOWN else ""
    return ", ".join(f"{key} ({rows[key]})" for key in keys[:_SHOWN]) + more
