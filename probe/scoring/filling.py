"""A candidate's tokens filled into its masks from left to right: what the model sees before each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from data_builders.facts import OBJECT
from probe.scoring.encode import Encoded


class Blank(NamedTuple):
    """A prompt, its ids for each number of masks, and the tokens of one candidate."""

    prompt: str
    encoded: Encoded
    tokens: Sequence[int]


class Step(NamedTuple):
    """An input whose first mask stands at `place`, and the token that is wanted there and filled in next."""

    ids: list[int]
    place: int
    token: int


def as_ids(tokenizer, blanks: Sequence[Blank], between: str) -> list[list[Step]]:
    """Each token takes its mask's place among the ids, which hold what stands `between` masks already."""
    found = []
    for _, encoded, tokens in blanks:
        ids = encoded.ids[len(tokens) - 1]
        gaps = [place for place, token in enumerate(ids) if token == tokenizer.mask_token_id]
        found.append([])
        for place, token in zip(gaps, tokens, strict=True):
            found[-1].append(Step(ids, place, token))
            ids = [*ids[:place], token, *ids[place + 1 :]]
    return found


def as_text(tokenizer, blanks: Sequence[Blank], between: str) -> list[list[Step]]:
    """Each piece's text takes its mask's place in the sentence, which is tokenised anew."""
    texts = []
    for prompt, _, tokens in blanks:
        text = prompt.replace(OBJECT, between.join([tokenizer.mask_token] * len(tokens)))
        texts.append([])
        for token in tokens:
            texts[-1].append(text)
            text = text.replace(tokenizer.mask_token, tokenizer.convert_ids_to_tokens(int(token)), 1)
    distinct = list(dict.fromkeys(text for own in texts for text in own))
    ids = dict(zip(distinct, tokenizer(distinct)["input_ids"] if distinct else [], strict=True))
    mask = tokenizer.mask_token_id
    return [
        [Step(ids[text], ids[text].index(mask), token) for text, token in zip(own, blank.tokens, strict=True)]
        for own, blank in zip(texts, blanks, strict=True)
    ]


FILLS = {"ids": as_ids, "text": as_text}
