"""Sentences with each candidate in its place, as token ids of the whole string."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from data_builders.errors import FactrootsError
from data_builders.facts import OBJECT
from probe.scoring.scorer import Ask, Candidates


class Filled(NamedTuple):
    """An ask's sentences, one for each of its candidates.

    ids : token ids, the opening first.
    first : the place of the first token that is scored; len(ids) where none is.
    fault : why the ask cannot be put, or None.
    """

    ids: list[list[int]]
    first: list[int]
    fault: str | None = None


def opening(tokenizer) -> list[int]:
    """The ids that stand before every sentence: the tokenizer's own, after a beginning-of-sentence token in any case.

    A tokenizer without one opens with its end-of-sentence token, as GPT-2's does. Raises FactrootsError where there is
    neither.
    """
    first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if first is None:
        raise FactrootsError(
            "the tokenizer has neither a bos_token nor an eos_token, and a causal LM needs one to predict the first "
            "word from; set bos_token in tokenizer_config.json"
        )
    whole, (bare,) = tokenizer("a")["input_ids"], token_ids(tokenizer, ["a"])
    own = whole[: next((i for i in range(len(whole)) if whole[i : i + len(bare)] == bare), 0)]
    return own if own[:1] == [first] else [first, *own]


def token_ids(tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The ids of each text alone, nothing added."""
    if not texts:
        return []
    return tokenizer(
        list(texts),
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,  # what is too long is a fault of the ask, not a warning
    )["input_ids"]


def fill(tokenizer, before: Sequence[int], asks: Sequence[Ask], candidates: Candidates, limit: int) -> Iterator[Filled]:
    """The sentences of each ask; `before` is the tokenizer's :func:`opening`, `limit` what the model can read."""
    places = [range(len(candidates.labels)) if ask.choice is None else ask.choice for ask in asks]
    texts = []
    for ask, choice in zip(asks, places, strict=True):
        left, _, right = ask.prompt.partition(OBJECT)
        # the last two are no sentences: what the context is alone, and what a label that is nothing leaves
        fillings = [*(candidates.labels[c] for c in choice), ""]
        texts += [ask.context + left + label + right for label in fillings] + [ask.context]
    ids = iter(token_ids(tokenizer, texts))
    for choice in places:
        own = [next(ids) for _ in choice]
        nothing, context = next(ids), next(ids)
        fault = None
        if len(before) + max(map(len, own), default=0) > limit:
            fault = f"the prompt is longer than the model's {limit} tokens"
        first = [
            len(row) if row == nothing or not candidates.tokens[c] else _common(context, row)
            for c, row in zip(choice, own, strict=True)
        ]
        yield Filled([[*before, *row] for row in own], [len(before) + place for place in first], fault)


def _common(one: list[int], other: list[int]) -> int:
    """How many ids the two begin with together."""
    if other[: len(one)] == one:
        return len(one)
    return next(i for i, (a, b) in enumerate(zip_longest(one, other)) if a != b)
