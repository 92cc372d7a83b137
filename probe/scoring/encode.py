"""Prompts to token ids, for every number of masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from data_builders.facts import OBJECT


class Encoded(NamedTuple):
    """A prompt as token ids for each number of masks 1..K, or why it cannot be asked."""

    ids: list[list[int]]
    fault: str | None = None

    @property
    def size(self) -> int:
        """Tokens over all numbers of masks."""
        return sum(map(len, self.ids))


#: Languages of mLAMA and kin that are written without spaces between words.
SPACELESS = frozenset({"bo", "dz", "ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})


#: The languages in which nothing stands between masks: as published mostly, by BMLAMA's script, as the script has it.
JOINED = {"space": frozenset(), "zh": frozenset({"zh"}), "script": SPACELESS}


def glue(join: str, lang: str) -> str:
    """What stands between masks in a language: nothing, or a space (:data:`JOINED`)."""
    return "" if lang.replace("_", "-").partition("-")[0] in JOINED[join] else " "


def encode(tokenizer, prompts: Sequence[str], most: int, limit: int, glue: str = " ") -> list[Encoded]:
    """Each prompt with its ``[Y]`` replaced by 1..`most` masks joined by `glue`.

    Tokenising once and repeating the mask's id gives the same ids for most tokenizers, far faster; the shortest
    and the longest prompt are tokenised in full for the highest count to see whether it does here.
    `limit` is the greatest number of tokens that the model reads.
    """
    if not prompts:
        return []
    one = _tokenize(tokenizer, prompts, 1, glue)
    mask = tokenizer.mask_token_id
    for probe in (min(prompts, key=len), max(prompts, key=len)):
        whole = _tokenize(tokenizer, [probe], most, glue)[0]
        if whole != _repeated(_tokenize(tokenizer, [probe], 1, glue)[0], mask, most):
            every = [_tokenize(tokenizer, prompts, k, glue) for k in range(1, most + 1)]
            return [_checked(list(ids), mask, limit) for ids in zip(*every, strict=True)]
    return [_checked([_repeated(ids, mask, k) for k in range(1, most + 1)], mask, limit) for ids in one]


def token_limit(model, tokenizer) -> int:
    """The greatest number of tokens the model reads: its positions, less those that RoBERTa's kin keep for padding."""
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    positions = getattr(model.config, "max_position_embeddings", None) or tokenizer.model_max_length
    return min(positions - (0 if padding is None else padding + 1), tokenizer.model_max_length)


def _tokenize(tokenizer, prompts: Sequence[str], masks: int, glue: str) -> list[list[int]]:
    answer = glue.join([tokenizer.mask_token] * masks)
    return tokenizer([p.replace(OBJECT, answer) for p in prompts])["input_ids"]


def _repeated(ids: list[int], mask: int, masks: int) -> list[int]:
    if mask not in ids:
        return ids
    at = ids.index(mask)
    return ids[:at] + [mask] * masks + ids[at + 1 :]


def _checked(ids: list[list[int]], mask: int, limit: int) -> Encoded:
    if any(row.count(mask) != k for k, row in enumerate(ids, start=1)):
        return Encoded([], "the prompt holds a mask or a slot of its own")
    if len(ids[-1]) > limit:
        return Encoded([], f"the prompt is longer than the model's {limit} tokens")
    return Encoded(ids)
