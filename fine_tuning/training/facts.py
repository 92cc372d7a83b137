"""Facts as examples: filled templates of a part of a fact set, asked for their objects; the rest is held out.

A fact is on one side in all languages, whichever way it is put there, so none that is taught is ever held to be new.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from data_builders.errors import FactrootsError
from data_builders.factset import OpenFactSet
from fine_tuning.models import Loaded
from fine_tuning.training.collating import padded
from fine_tuning.training.job import Examples
from fine_tuning.training.statements import capitalised, causal_rows, masked_rows, statements

#: The share of the facts that is taught.
SHARE = 0.8


class Sides(NamedTuple):
    """The keys of the facts that are taught, and of those that are held out."""

    taught: frozenset[str]
    held: frozenset[str]

    def about(self) -> dict:
        """Numbers and hashes of both, for ``variant.json``."""
        return {
            f"{name}{what}": value
            for name, keys in zip(self._fields, self, strict=True)
            for what, value in (("", len(keys)), ("_sha256", _hash(keys)))
        }


def sides(data: OpenFactSet, share: float, seed: int) -> Sides:
    """The facts of all of the set's languages, told apart by a hash of their keys, on which language has no say."""
    if not 0 < share <= 1:
        raise FactrootsError(f"--train-share takes a share of the facts, above 0 and up to 1, got {share:g}")
    keys = {key for lang in data.langs for key in data.table(lang)["fact"].to_pylist()}
    taught = {key for key in keys if _head(f"taught|{seed}|{key}") < share * 2**64}
    return Sides(frozenset(taught), frozenset(keys - taught))


def recorded_sides(about: Mapping, data: OpenFactSet) -> Sides:
    """Which facts a variant was taught, from the ``data`` of its ``variant.json`` and the fact set opened again.

    Raises FactrootsError where it was taught no facts, or others than `data` has.
    """
    if "taught_sha256" not in about:
        raise FactrootsError("the variant was not trained on facts; its variant.json says on what")
    found = sides(data, about["share"], about["seed"])
    if any(found.about()[key] != about[key] for key in found.about()):
        raise FactrootsError(
            f"{data.spec} has other facts than the variant was trained on, {about['facts']}; open that one"
        )
    return found


def held_facts(about: Mapping, data: OpenFactSet) -> frozenset[str]:
    """The keys of the facts that a variant was not taught; see :func:`recorded_sides`."""
    return recorded_sides(about, data).held


def fact_examples(
    data: OpenFactSet, one: Loaded, share: float = SHARE, seed: int = 0, sentence: bool = False
) -> Examples:
    """Every fact of `data` in each of its languages, by each of the templates that `data` has for it.

    A masked LM reads the template with as many masks for the object as it has tokens by itself, and is asked for these,
    which is how the prober asks. A causal one reads the sentence, begun with a capital letter as BEAR's are, and is
    asked for the tokens that hold the object or the space before it, or, for `sentence`, for all. What cannot be asked
    so is left out and counted in ``about``. Raises FactrootsError where a language has no templates, or nothing is
    left.
    """
    data.need_questions()
    split = sides(data, share, seed)
    train, held, dropped = [], [], Counter()
    make = masked_rows if one.family == "masked" else causal_rows
    for lang in data.langs:
        found = [capitalised(s) if one.family == "causal" else s for s in statements(data, lang)]
        for statement, made in zip(found, make(one, found, sentence), strict=True):
            if isinstance(made, str):
                dropped[made] += 1
            else:
                (train if statement.fact in split.taught else held).append(
                    {**made, "fact": statement.fact, "lang": lang}
                )
    if not train:
        left = ", ".join(f"{n:,} {why}" for why, n in dropped.items()) or "none is on that side"
        raise FactrootsError(
            f"no fact of {data.spec} is left to be taught ({left}); raise --train-share or take more facts"
        )
    about = {
        "facts": data.spec.portable,
        "sha256": data.sha256,
        "langs": list(data.langs),
        "share": share,
        "seed": seed,
        **split.about(),
        "examples": len(train),
        "held_examples": len(held),
        "dropped": dict(dropped),
        "case": "capital" if one.family == "causal" else "keep",
        "asked": "sentence" if sentence and one.family == "causal" else "object",
    }
    padding = one.tokenizer.pad_token_id

    def collate(rows: Sequence[dict]) -> dict[str, Tensor]:
        return padded([row["ids"] for row in rows], [row["labels"] for row in rows], padding)

    return Examples(train, held or None, collate, about)


def _head(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _hash(keys: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()
