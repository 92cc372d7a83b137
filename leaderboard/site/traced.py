"""Where right answers came from, fact by fact: tracings that the builder of the site has, with their passages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_builders.corpora.built import Built
from data_builders.errors import FactrootsError
from data_builders.factset import FactSet
from data_builders.folder import read_json
from leaderboard.submission import Submission
from probe.results import Result
from probe.tracing.roots.labels import UNSCORED, WRONG

#: So many passages of a fact are shown, each cut to so many characters.
PASSAGES, LONGEST = 3, 400
#: What is no root of a right answer.
NONE = ("", WRONG, UNSCORED)
#: Roots of which a language says more; an independent answer's is only the one that came nearest.
_FROM = {"transferred": "from {}", "shared": "with {}"}
_COLUMNS = ["lang", "fact", "root", "reason", "source", "passages_lang", "passages"]


class Root(NamedTuple):
    """Where a right answer came from: the root, the reason or the language that says more of it ("" where there is
    none), and its passages, which are rows of the corpus in a language."""

    name: str
    why: str
    lang: str
    passages: Sequence[int]


class Traced(NamedTuple):
    """A tracing: what it was made of, the roots by language and fact, and texts by (language, passage)."""

    about: Mapping[str, Any]
    roots: Mapping[str, Mapping[str, Root]]
    texts: Mapping[tuple[str, int], str]

    def fits(self, submission: Submission) -> bool:
        """Whether it is of these answers: the same weights and number format, facts, protocol and gold policy."""
        result, run = submission.result, self.about["run"]
        if not isinstance(result, Result) or result.protocol != self.about["protocol"]:
            return False
        facts = FactSet.parse(str(result.data["spec"]))
        theirs = replace(FactSet.parse(run["facts"]), gold=self.about["gold"])
        same = all(result.model.get(key) == run["model"].get(key) for key in ("sha256", "dtype", "quantization"))
        return same and facts.portable == theirs.portable and result.data["sha256"] == run["data"]["sha256"]

    def told(self, lang: str, facts: Sequence[str]) -> list[list | None]:
        """Of each fact its root with the texts of its passages; None where there is no root."""
        found = map(self.roots[lang].get, facts)
        return [root and [*root[:3], self._texts(root)] for root in found]

    def _texts(self, root: Root) -> list[str]:
        return [text for number in root.passages if (text := self.texts.get((root.lang, number)))]


def read(folder: Path, corpus: Built | None) -> Traced:
    """The tracing in a folder, with the texts of its passages where the corpus is there.

    Raises FactrootsError where there is no tracing, and where it is of another corpus.
    """
    if not (folder / "roots.json").is_file():
        raise FactrootsError(f"{folder} holds no tracing (no roots.json); make one with `probe trace-roots`")
    about = read_json(folder / "roots.json")["made_of"]
    roots: dict[str, dict[str, Root]] = {}
    for row in pq.read_table(folder / "roots.parquet", columns=_COLUMNS).to_pylist():
        if row["root"] not in NONE:
            roots.setdefault(row["lang"], {})[row["fact"]] = _root(row)
    if corpus is None:
        return Traced(about, roots, {})
    for lang, sha256 in about["presence"]["corpus"].items():
        if lang not in corpus.langs or corpus.sha256(lang) != sha256:
            raise FactrootsError(f"{folder} was traced in another corpus than {corpus.folder}; name that with --corpus")
    return Traced(about, roots, _texts((root for own in roots.values() for root in own.values()), corpus))


def _root(row: dict) -> Root:
    why = f"({row['reason']})" if row["reason"] else _FROM.get(row["root"], "").format(row["source"])
    return Root(row["root"], why, row["passages_lang"], (row["passages"] or [])[:PASSAGES])


def _texts(roots: Iterable[Root], corpus: Built) -> dict[tuple[str, int], str]:
    """The texts of the passages that are shown, read in one pass over each language."""
    wanted: dict[str, set[int]] = {}
    for root in roots:
        wanted.setdefault(root.lang, set()).update(root.passages)
    found = {}
    for lang, numbers in wanted.items():
        places, start = np.array(sorted(numbers), int), 0
        for block in corpus.blocks(lang, ["text"]):
            inside = places[(places >= start) & (places < start + len(block))]
            texts = block["text"].take(pa.array(inside - start)).to_pylist()
            found |= {(lang, int(n)): _cut(text) for n, text in zip(inside, texts, strict=True)}
            start += len(block)
    return found


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
